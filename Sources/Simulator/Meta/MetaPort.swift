import ClusterModel
import MetaCore
import Wire

/// One connection to a metasrv: requests in RESP, replies in their order, pushes of a watch between them.
final class MetaPort {
    private struct Slot {
        let id: RequestID?
        var reply: [UInt8]?
    }

    private let link: Link
    private unowned let process: MetaProcess
    private var parser = RequestParser()
    private let batch = CommandBatch()
    private var input: [UInt8] = []
    private var slots: [Slot] = []
    /// Requests and watches that are not over.
    var open: [RequestID] = []

    init(link: Link, process: MetaProcess) {
        self.link = link
        self.process = process
    }

    func take(_ bytes: [UInt8]) {
        input += bytes
        let consumed = input.withByteView { view in
            let result = parser.parse(view, connection: ConnectionID(place: 0, use: 0), into: batch, limit: 1024)
            for entry in batch.entries {
                let first = Int(entry.first)
                take((first..<first + Int(entry.count)).map { batch.arguments[$0].array })
            }
            batch.removeAll()
            return result.consumed
        }
        input.removeFirst(consumed)
        flush()
    }

    private func take(_ arguments: [[UInt8]]) {
        switch (String(decoding: arguments[0], as: UTF8.self), arguments.count) {
        case ("META.STATUS", 1): ask(.status)
        case ("META.ROUTES", 2): ask(.routes(since: Self.version(arguments[1])))
        case ("META.WATCH", 2): ask(.watch(since: Self.version(arguments[1])))
        case ("META.HEARTBEAT", 2): ask(process.documents.decode(Heartbeat.self, arguments[1]).map { .heartbeat($0) })
        case ("META.RECONFIGURE", 2):
            ask(process.documents.decode(ReconfigureRequest.self, arguments[1]).map { .reconfigure($0) })
        case ("META.ADMIN", 2): ask(process.documents.decode(AdminRequest.self, arguments[1]).map { .admin($0) })
        default: ask(nil)
        }
    }

    private static func version(_ bytes: [UInt8]) -> RouteVersion {
        RouteVersion(rawValue: UInt64(String(decoding: bytes, as: UTF8.self)) ?? 0)
    }

    private func ask(_ request: MetaRequest?) {
        guard let request else {
            var reply = ReplyBuffer()
            reply.error("ERR a request that no metasrv knows")
            slots.append(Slot(id: nil, reply: reply.bytes.view.array))
            return
        }
        // The answer may come at once: its place must be there.
        let place = slots.count
        slots.append(Slot(id: nil, reply: nil))
        isAsking = place
        let id = process.ask(request, for: self)
        isAsking = nil
        if place < slots.count, slots[place].reply == nil { slots[place] = Slot(id: id, reply: nil) }
    }

    /// The slot of the request that is asked just now.
    private var isAsking: Int?

    func answer(_ id: RequestID, _ answer: MetaAnswer, isWatch: Bool) {
        var reply = ReplyBuffer()
        switch answer {
        case .heartbeat(let document): bulk(document, &reply)
        case .reconfigure(let document): bulk(document, &reply)
        case .admin(let document): bulk(document, &reply)
        case .status(let document): bulk(document, &reply)
        case .routes(let delta):
            if isWatch { watched(delta, &reply) } else { bulk(delta, &reply) }
        case .notPrimary(let address): reply.error(address.map { "NOTPRIMARY \($0)" } ?? "NOTPRIMARY")
        case .unavailable(let text): reply.error("TRYAGAIN \(text)")
        }
        let bytes = reply.bytes.view.array
        if let place = slots.firstIndex(where: { $0.id == id && $0.reply == nil }) {
            slots[place].reply = bytes
            flush()
        } else if let place = isAsking {
            slots[place].reply = bytes
        }
    }

    func push(_ delta: RouteDelta) {
        var reply = ReplyBuffer()
        watched(delta, &reply)
        slots.append(Slot(id: nil, reply: reply.bytes.view.array))
        flush()
    }

    private func bulk(_ document: some Encodable, _ reply: inout ReplyBuffer) {
        if let bytes = process.documents.encode(document) { reply.bulk(bytes) } else { reply.error("ERR no document") }
    }

    private func watched(_ delta: RouteDelta, _ reply: inout ReplyBuffer) {
        reply.array(2)
        reply.bulk("META.DELTA")
        bulk(delta, &reply)
    }

    private func flush() {
        guard isAsking == nil else { return }
        var ready: [UInt8] = []
        while let reply = slots.first?.reply {
            ready += reply
            slots.removeFirst()
        }
        if !ready.isEmpty { process.send(ready, on: link) }
    }
}
