import ClusterModel
import DataCore
import Wire

/// A client of a scenario: it sends what it is told, in one connection at a time, and keeps what comes.
final class ScenarioClient {
    private unowned let world: World
    let name: String
    private let number: Int
    private var connection: ClientConnection?
    private var node: Int?
    /// Sent and not answered.
    private var waiting: [Sent] = []
    private var replies: [RESPValue] = []
    private var sent = 0
    private let note: (String, Operation) -> Void

    private struct Sent {
        var request: Request?
        var invoked: UInt64
        var sequence: Int
    }

    init(world: World, name: String, number: Int, note: @escaping (String, Operation) -> Void) {
        self.world = world
        self.name = name
        self.number = number
        self.note = note
    }

    var isClosed: Bool { connection?.isClosed ?? true }

    func send(_ words: [String], to node: Int) {
        if connection == nil || isClosed || self.node != node { connect(node) }
        let words = Self.dated(words, world.now)
        sent += 1
        waiting.append(Sent(request: Self.request(words), invoked: world.now, sequence: sent))
        connection?.send([words])
    }

    /// `SET k v PXAT +2000` with the deadline that it means.
    private static func dated(_ words: [String], _ now: UInt64) -> [String] {
        guard words.count == 5, words[3] == "PXAT", words[4].hasPrefix("+"), let left = Int64(words[4]) else {
            return words
        }
        return words[..<4] + ["\(MachineClock.epoch + Int64(now / 1_000_000) + left)"]
    }

    private func connect(_ node: Int) {
        end()
        self.node = node
        let made = ClientConnection(world: world, from: "client", to: world.nodes[node].address(.gateway))
        made.received = { [weak self] in self?.take($0) }
        made.ended = { [weak self] in self?.forget() }
        connection = made
    }

    private func take(_ reply: RESPValue) {
        guard !waiting.isEmpty else {
            return world.violate(.malformed, "client \(name) got a reply too many: \(reply)")
        }
        let entry = waiting.removeFirst()
        replies.append(reply)
        guard let request = entry.request else { return }
        guard let outcome = request.outcomes([reply])?.first else {
            return world.violate(.malformed, "client \(name) asked \(request.actions) and got \(reply)")
        }
        tell(entry, outcome)
    }

    private func tell(_ entry: Sent, _ outcome: Operation.Outcome) {
        guard let request = entry.request, let (key, action) = request.actions.first else { return }
        var operation = Operation(client: number, action, invoked: entry.invoked, returned: world.now, outcome)
        operation.sequence = entry.sequence
        note(key, operation)
    }

    /// What is not answered may have happened or not.
    private func forget() {
        for entry in waiting { tell(entry, .unknown) }
        waiting = []
    }

    /// Closes its connection.
    func end() {
        connection?.close()
        connection = nil
        forget()
        replies = []
    }

    /// The next reply, if it is there.
    func reply() -> RESPValue? { replies.isEmpty ? nil : replies.removeFirst() }
    var hasReply: Bool { !replies.isEmpty }

    /// What the judge of histories knows of a command; nil = nothing.
    private static func request(_ words: [String]) -> Request? {
        guard words.count > 1 else { return nil }
        let key = words[1]
        let value = words.count > 2 ? Array(words[2].utf8) : []
        switch (words[0].uppercased(), words.count) {
        case ("GET", 2): return Request(key, .get)
        case ("EXISTS", 2): return Request(key, .exists)
        case ("SET", 3): return Request(key, .set(value))
        case ("SET", 5):
            if words[3] == "PXAT", let deadline = Int64(words[4]) { return Request(key, .setUntil(value, deadline)) }
            // No scenario lasts as long as such a value does.
            return words[3] == "EX" && Int(words[4]) ?? 0 >= 600 ? Request(key, .set(value)) : nil
        case ("SETNX", 3): return Request(key, .setIfAbsent(value))
        case ("APPEND", 3): return Request(key, .append(value))
        case ("DEL", 2): return Request(key, .delete)
        case ("GETDEL", 2): return Request(key, .getAndDelete)
        case ("INCR", 2): return Request(key, .increment(1))
        default: return nil
        }
    }
}

extension RESPValue {
    /// As a scenario writes it.
    var plain: String {
        switch self {
        case .simpleString(let bytes), .error(let bytes), .bulkString(let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer(let number): "\(number)"
        case .null: "nil"
        default: "\(self)"
        }
    }
}
