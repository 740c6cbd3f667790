import ClusterModel
import Wire

/// What a parser made of bytes that arrived in pieces: copies of all commands, and the error that ended it.
struct Outcome: Equatable {
    var commands: [[[UInt8]]] = []
    var error: ProtocolError?
    var left = 0
}

/// Gives `bytes` to a parser as a connection would: pieces as they arrive, the unconsumed rest kept in front.
func receive(
    _ bytes: [UInt8], pieces: some Sequence<Int>, limit: Int = .max, isAuthenticated: Bool = true
) -> Outcome {
    var parser = RequestParser()
    parser.isAuthenticated = isAuthenticated
    let batch = CommandBatch()
    var outcome = Outcome()
    var buffer = ByteBuffer()
    var sent = 0
    for piece in pieces {
        let end = min(sent + piece, bytes.count)
        buffer.append(Array(bytes[sent..<end]))
        sent = end
        while outcome.error == nil {
            let result = parser.parse(
                buffer.view, connection: ConnectionID(place: 3, use: 1), into: batch, limit: limit)
            for entry in batch.entries {
                let range = Int(entry.first)..<Int(entry.first) + Int(entry.count)
                outcome.commands.append(range.map { batch.arguments[$0].array })
            }
            precondition(result.commands == batch.entries.count)
            batch.removeAll()
            outcome.error = result.error
            buffer.dropFirst(result.consumed)
            if !result.isLimited { break }
        }
        if sent == bytes.count || outcome.error != nil { break }
    }
    outcome.left = outcome.error == nil ? buffer.count : 0
    return outcome
}

/// All at once.
func receive(_ text: String, isAuthenticated: Bool = true) -> Outcome {
    let bytes = Array(text.utf8)
    return receive(bytes, pieces: [bytes.count], isAuthenticated: isAuthenticated)
}

/// A pseudo-random generator of its own (xorshift64*), so that a failing case can be repeated.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
