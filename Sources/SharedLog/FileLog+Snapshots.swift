public import ClusterModel

// Snapshots, and the trim below the older of the two that are kept.
extension FileLog {
    public func save(snapshot: [UInt8], at position: LogPosition) throws(SharedLogError) {
        let name = temporary()
        do throws(SystemFailure) {
            try directory.create(name, SealedText.seal(.snapshot, number: position.rawValue, snapshot))
            try directory.rename(name, to: Self.snapshot(position))
            try directory.sync()
            try trim()
        } catch {
            try? directory.remove(name)
            throw .notWritten("a snapshot of the metadata could not be saved: \(error.text)")
        }
    }

    public func newestSnapshot() throws(SharedLogError) -> LogSnapshot? {
        // Listed anew when one is gone: it was replaced by newer ones meanwhile.
        for _ in 0..<8 {
            let found: [(position: LogPosition, bytes: [UInt8]?)]
            do throws(SystemFailure) {
                let kept = snapshots(try directory.names()).suffix(2).reversed()
                var read: [(position: LogPosition, bytes: [UInt8]?)] = []
                for position in kept { read.append((position, try directory.read(Self.snapshot(position)))) }
                found = read
            } catch {
                throw .unreadable("the metadata log's snapshots cannot be read: \(error.text)")
            }
            guard let newest = found.first else { return nil }
            guard newest.bytes != nil else { continue }
            // The log still holds all entries after the older one, so it serves as well.
            for candidate in found {
                if case .whole(let number, let content)? = candidate.bytes.map({ SealedText.open(.snapshot, $0) }),
                    number == candidate.position.rawValue
                {
                    return LogSnapshot(position: candidate.position, bytes: content)
                }
            }
            throw .damaged(
                "\(directory.path(of: Self.snapshot(newest.position))) is damaged, and there is no older one: restore it "
                    + "from a copy")
        }
        throw .unreadable("the metadata log's snapshots come and go too fast to be read: try again")
    }

    private func snapshots(_ names: [String]) -> [LogPosition] {
        names.compactMap { Self.number(in: $0, after: "snapshot-") }.sorted()
    }

    /// Raises the floor to what the older of the two newest snapshots holds; only then may what lies below be unlinked
    /// (RULES B6).
    private func trim() throws(SystemFailure) {
        _ = try directory.exclusively("trim.lock") { () throws(SystemFailure) in
            let names = try directory.names()
            let snapshots = snapshots(names)
            guard snapshots.count >= 2, let lowest = snapshots[snapshots.count - 2].successor else { return }
            guard let floor = try? floor() else { return }
            if lowest > floor {
                let name = temporary()
                try directory.create(name, SealedText.seal(.floor, number: lowest.rawValue, []))
                try directory.rename(name, to: "floor")
                try directory.sync()
            }
            for old in snapshots.dropLast(2) { try directory.remove(Self.snapshot(old)) }
            // The slots themselves go two at each later append.
            swept = names.lazy.compactMap { Self.number(in: $0, after: "slot-") }.first ?? swept
            // Left behind by processes that died between two calls.
            for name in names where name.hasPrefix("tmp-") {
                if let age = directory.age(of: name), age > 3600 { try directory.remove(name) }
            }
        }
    }
}
