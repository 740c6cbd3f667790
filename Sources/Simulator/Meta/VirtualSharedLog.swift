import ClusterModel
import MetaCore

/// The metadata group's shared log: slots that are written once, a floor below which none counts, the newest snapshots.
/// What happens to a call happens when it is carried out, which for a paused caller is late (RULES B1, B6).
public final class VirtualSharedLog {
    private var entries: [LogPosition: LogEntry] = [:]
    private(set) var floor = LogPosition(rawValue: 1)
    private var snapshots: [MetaSnapshot] = []
    /// Entries added.
    public private(set) var count = 0

    /// Claims a slot. `.lost` also for one that was trimmed, though its name is free again.
    func append(_ entry: LogEntry, at position: LogPosition) -> AppendOutcome {
        guard position >= floor || Mutant.b6ClaimsTrimmedSlot.isOn else { return .lost }
        if let known = entries[position] { return known == entry ? .won : .lost }
        entries[position] = entry
        count += 1
        return .won
    }

    enum Reading {
        case entries([LogRecord])
        case trimmed(MetaSnapshot)
    }

    /// What stands from a position on, without gaps.
    func read(from position: LogPosition, limit: Int) -> Reading {
        if position < floor, let newest = snapshots.last { return .trimmed(newest) }
        var found: [LogRecord] = []
        var next: LogPosition? = position
        while found.count < limit, let place = next, let entry = entries[place] {
            found.append(LogRecord(position: place, entry: entry))
            next = place.successor
        }
        return .entries(found)
    }

    var newestSnapshot: MetaSnapshot? { snapshots.last }

    /// Keeps the two newest snapshots and trims what the older holds.
    func save(_ snapshot: MetaSnapshot) {
        guard snapshot.position > snapshots.last?.position ?? .zero else { return }
        snapshots.append(snapshot)
        guard snapshots.count > 1 else { return }
        if snapshots.count > 2 { snapshots.removeFirst() }
        guard let next = snapshots[0].position.successor, next > floor else { return }
        let former = floor
        floor = next
        var place = former
        while place < floor, let successor = place.successor {
            entries[place] = nil
            place = successor
        }
    }
}
