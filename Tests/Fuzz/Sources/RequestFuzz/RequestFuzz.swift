import ClusterModel
import Wire

/// Any bytes, whole and in pieces: no trap, and the same commands however they are cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe ByteView(base: start, count: count).array
    let whole = parse(bytes, piece: max(bytes.count, 1))
    let pieces = parse(bytes, piece: 1 + Int(bytes.first ?? 0) % 17)
    precondition(whole == pieces, "a cut changes what is parsed")
    return 0
}

private struct Outcome: Equatable {
    var commands: [[[UInt8]]] = []
    var error: ProtocolError?
}

private func parse(_ bytes: [UInt8], piece: Int) -> Outcome {
    var parser = RequestParser()
    let batch = CommandBatch()
    var outcome = Outcome()
    var buffer = ByteBuffer()
    var sent = 0
    while sent < bytes.count, outcome.error == nil {
        let end = min(sent + piece, bytes.count)
        buffer.append(Array(bytes[sent..<end]))
        sent = end
        let result = parser.parse(
            buffer.view, connection: ConnectionID(place: 0, use: 0), into: batch, limit: .max)
        for entry in batch.entries {
            let range = Int(entry.first)..<Int(entry.first) + Int(entry.count)
            outcome.commands.append(range.map { batch.arguments[$0].array })
        }
        batch.removeAll()
        outcome.error = result.error
        buffer.dropFirst(result.consumed)
    }
    return outcome
}
