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
        /// All of them, in the order of the log.
        fileprivate(set) var ops: [Op] = []
        /// The rows of before go first.
        var flushes = false

        init(store: StoreID) { self.store = store }

        /// Places of the last op of each key, in the order of their row keys, each with the prefix of that (`RowKey`):
        /// LevelDB's memory table is a skip list, and neighbours find their way warm.
        func inRowOrder(usesSlots: Bool) -> [(prefix: UInt64, place: Int)] {
            var order: [(prefix: UInt64, place: Int)] = []
            order.reserveCapacity(ops.count)
            for place in ops.indices {
                order.append((RowKey.prefix(ops[place].key, usesSlots: usesSlots), place))
            }
            order.sort { left, right in
                if left.prefix != right.prefix { return left.prefix < right.prefix }
                let (first, second) = (ops[left.place].key, ops[right.place].key)
                return first == second ? left.place < right.place : first.precedes(second)
            }
            var kept = 0
            for index in order.indices {
                let isLast =
                    index + 1 == order.count || order[index].prefix != order[index + 1].prefix
                    || !(ops[order[index].place].key == ops[order[index + 1].place].key)
                guard isLast else { continue }
                order[kept] = order[index]
                kept += 1
            }
            order.removeLast(order.count - kept)
            return order
        }
    }

    /// One op.
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
            part.ops.append(Op(key: key, value: value, deadline: deadline, isDelete: false))
        case .delete(let key): part.ops.append(Op(key: key, value: .empty, deadline: 0, isDelete: true))
        case .flush:
            part.flushes = true
            part.ops.removeAll(keepingCapacity: true)
        case .time: break
        }
    }
}
