internal import ClusterModel
internal import DataCore
internal import LevelStore

/// The committed records of some batches, sorted out by store: of each key only the last op is left, so that a key
/// overwritten a thousand times costs LevelDB one row.
final class ApplyRound {
    /// What one store gets.
    final class Part {
        let store: StoreID
        var epoch = Epoch.none
        var seq = Seq.zero
        fileprivate(set) var ops: [Op] = []
        /// The rows of before go first.
        var flushes = false
        fileprivate var places: [UInt64: Int] = [:]

        init(store: StoreID) { self.store = store }

        /// Places of `ops` about in the order of their row keys: LevelDB's memory table is a skip list, and neighbours
        /// find their way warm. Ops of one key keep their order.
        func inRowOrder(usesSlots: Bool) -> [Int] {
            var order: [(prefix: UInt64, place: Int)] = []
            order.reserveCapacity(ops.count)
            for place in ops.indices {
                order.append((RowKey.prefix(ops[place].key, usesSlots: usesSlots), place))
            }
            order.sort { $0.prefix != $1.prefix ? $0.prefix < $1.prefix : $0.place < $1.place }
            return order.map(\.place)
        }
    }

    /// One op; a later one of its key replaces it.
    struct Op {
        /// Views into the batches of the round.
        var key: ByteView
        var value: ByteView
        /// ms since 1970; 0 = none.
        var deadline: Int64
        var isDelete: Bool
    }

    private(set) var parts: [Part] = []
    private var index: [StoreID: Int] = [:]
    private var recent: Part?
    private let hash = KeyHash(seed: 0x0572_AC0A)

    /// Takes a record; its bytes must stay until the round is done.
    func take(_ store: StoreID, _ header: RecordHeader, _ payload: ByteView) {
        let part = part(store)
        part.epoch = header.epoch
        part.seq = header.seq
        guard header.kind == .data else { return }
        var ops = OpCursor(payload)
        while let op = ops.next() { take(op, part) }
    }

    private func part(_ store: StoreID) -> Part {
        if let recent, recent.store == store { return recent }
        let part: Part
        if let place = index[store] {
            part = parts[place]
        } else {
            part = Part(store: store)
            index[store] = parts.count
            parts.append(part)
        }
        recent = part
        return part
    }

    private func take(_ op: LogOp, _ part: Part) {
        switch op {
        case .put(let key, let value, let deadline):
            set(Op(key: key, value: value, deadline: deadline, isDelete: false), part)
        case .delete(let key): set(Op(key: key, value: .empty, deadline: 0, isDelete: true), part)
        case .flush:
            part.flushes = true
            part.ops.removeAll(keepingCapacity: true)
            part.places.removeAll(keepingCapacity: true)
        case .time: break
        }
    }

    private func set(_ op: Op, _ part: Part) {
        let tag = hash(op.key, keyspace: 0)
        if let place = part.places[tag], part.ops[place].key == op.key {
            part.ops[place] = op
        } else {
            // Two keys of one hash: the later op is written later, so both are right.
            part.places[tag] = part.ops.count
            part.ops.append(op)
        }
    }
}
