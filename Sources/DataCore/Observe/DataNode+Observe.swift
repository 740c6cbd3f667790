public import ClusterModel
internal import DequeModule

extension DataNode {
    /// How long a step took; to be called right behind it, while the batch it was given is still whole.
    ///
    /// The core reads no clock, so a step's time is divided evenly over the commands it ran: exact when it ran one, a mean
    /// when it ran many. Histograms get the share of every command. The slow log gets the commands of a step whose share
    /// reached the threshold; one slow command among many quick ones of the same step may pass unseen.
    /// - Parameter commands: the batch of a `.commands` step; nil for other steps, whose commands are counted alone.
    public mutating func noteStep(nanoseconds: UInt64, _ commands: CommandBatch?) {
        unsafe engine.pointee.noteStep(nanoseconds: nanoseconds, commands)
    }

    /// What INFO shows of the process; now and then, once a second is enough.
    public mutating func noteUsage(_ usage: ProcessUsage) { unsafe engine.pointee.usage = usage }

    /// Everything /metrics needs.
    public func report() -> NodeReport { unsafe engine.pointee.report() }
}

extension Engine {
    @inline(__always)
    mutating func noteStep(nanoseconds: UInt64, _ commands: CommandBatch?) {
        let share = stats.noteStep(nanoseconds: nanoseconds)
        guard share > 0, let commands, stats.slowLog.wants(nanoseconds: share) else { return }
        noteSlow(commands, nanoseconds: share)
    }

    /// The batch's last commands, as many as the slow log holds.
    private mutating func noteSlow(_ commands: CommandBatch, nanoseconds: UInt64) {
        let entries = commands.entries
        let first = max(0, entries.count - Int(clamping: stats.slowLog.limit))
        let arguments = commands.arguments
        for index in first..<entries.count {
            let entry = entries[index]
            guard let place = place(entry.connection) else { continue }
            stats.slowLog.add(
                time: now.wall / 1000, nanoseconds: nanoseconds,
                arguments: SlowLog.kept(count: Int(entry.count)) { arguments[Int(entry.first) + $0] },
                address: connections[place].client.address, name: connections[place].client.name)
        }
    }

    func report() -> NodeReport {
        NodeReport(
            id: settings.id, started: stats.started, commands: commandReports, latencyBounds: LatencyTable.bounds,
            totalCommands: stats.total, totalErrors: stats.errors, errors: errorCounts, clients: clients,
            openedConnections: stats.connections, rejectedConnections: stats.rejectedConnections, parked: parked.count,
            hits: stats.hits, misses: stats.misses, loads: stats.loads, expired: stats.expired, rows: rows.count,
            rowBytes: rows.bytes, cacheBytes: settings.cacheBytes, backlogBytes: backlog, batches: unapplied.count,
            logTicket: nextTicket - 1, durableTicket: durableTicket, forwards: gateway.forwards.count,
            sessions: gateway.sessions.count, corrections: stats.corrections, routeVersion: routes.version,
            isRegistered: beats.isRegistered, isDiskLow: isDiskLow, stalls: stalls, shards: shardReports)
    }

    /// Commands that were called or refused, by name.
    var commandReports: [NodeReport.Command] {
        CommandTable.all.compactMap { spec in
            let id = Int(spec.id.rawValue)
            guard stats.commands[id] > 0 || stats.rejected[id] > 0 else { return nil }
            return NodeReport.Command(
                name: spec.name, calls: stats.commands[id], rejected: stats.rejected[id], failed: stats.failed[id],
                nanoseconds: stats.latencies.nanoseconds[id], latencies: stats.latencies.histogram(id))
        }.sorted { $0.name < $1.name }
    }

    var errorCounts: [(word: String, count: UInt64)] {
        stats.errorWords.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    /// The last batch that is durable.
    var durableTicket: UInt64 {
        if durableBatches < unapplied.count { return unapplied[durableBatches].batch.ticket - 1 }
        return nextTicket - 1
    }

    /// Connections whose writes wait because the stores are behind.
    var stalls: Int {
        parked.count { place in
            if case .backlog = connections[place].block { true } else { false }
        }
    }

    var shardReports: [NodeReport.Shard] {
        replicas.indices.filter { replicas[$0].state != .dropped }.map { index in
            NodeReport.Shard(
                id: replicas[index].configuration.id,
                keyspace: routes.keyspace(replicas[index].configuration.keyspace)?.name ?? "",
                epoch: replicas[index].configuration.epoch, isServing: numbers[index].isServing,
                last: Seq(rawValue: numbers[index].last), durable: Seq(rawValue: numbers[index].durable),
                commit: Seq(rawValue: numbers[index].commit), applied: Seq(rawValue: numbers[index].applied),
                bytes: replicas[index].bytes)
        }.sorted { $0.id < $1.id }
    }
}
