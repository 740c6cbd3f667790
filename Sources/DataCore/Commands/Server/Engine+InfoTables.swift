import ClusterModel
internal import DequeModule

// The sections of INFO that are tables: by command, by error, by keyspace, and this server's own.
extension Engine {
    func writeCommandStats(_ text: inout InfoText) {
        text.section("Commandstats")
        for command in commandReports {
            let micros = command.nanoseconds / 1000
            let each = command.calls > 0 ? Double(command.nanoseconds) / 1000 / Double(command.calls) : 0
            text.field(
                "cmdstat_\(command.name)",
                "calls=\(command.calls),usec=\(micros),usec_per_call=\(InfoText.decimal(each)),"
                    + "rejected_calls=\(command.rejected),failed_calls=\(command.failed)")
        }
    }

    func writeErrorStats(_ text: inout InfoText) {
        text.section("Errorstats")
        for (word, count) in errorCounts { text.field("errorstat_\(word)", "count=\(count)") }
    }

    /// Percentiles are the upper ends of histogram buckets: at most twice what was measured.
    func writeLatencyStats(_ text: inout InfoText) {
        text.section("Latencystats")
        for spec in CommandTable.all.sorted(by: { $0.name < $1.name }) {
            let id = Int(spec.id.rawValue)
            guard stats.latencies.nanoseconds[id] > 0 else { continue }
            func point(_ share: Double) -> String { "\(stats.latencies.percentile(share, id)).000" }
            text.field(
                "latency_percentiles_usec_\(spec.name)", "p50=\(point(0.5)),p99=\(point(0.99)),p99.9=\(point(0.999))")
        }
    }

    /// Keys are not counted as they come and go: their number is estimated from the stores' bytes and the mean size of the
    /// rows in memory, and is never below what memory holds when there is one keyspace. DBSIZE counts.
    func writeKeyspaces(_ text: inout InfoText) {
        text.section("Keyspace")
        let mean = rows.count > 0 ? max(rows.bytes / rows.count, 1) : 128
        let held = keyspaces.indices.filter { keyspaces[$0].keyspace != nil }
        for index in held {
            var bytes = 0
            for entry in keyspaces[index].entries where entry.replica >= 0 {
                bytes += Int(clamping: replicas[entry.replica].bytes)
            }
            let keys = max(bytes / mean, held.count == 1 ? rows.count : 0)
            guard keys > 0 else { continue }
            let name = index == 0 ? "db0" : "db_\(keyspaces[index].name)"
            text.field(name, "keys=\(keys),expires=0,avg_ttl=0")
        }
    }

    func writeOwn(_ text: inout InfoText) {
        let shards = shardReports
        let looked = stats.hits &+ stats.misses &+ stats.loads
        text.section("Ostraka")
        text.field("node_id", settings.id.rawValue)
        text.field("store_id", "\(settings.store)")
        text.field("cluster_id", cluster.map { "\($0)" } ?? "")
        text.field("registered", beats.isRegistered)
        text.field("route_version", routes.version.rawValue)
        text.field("keyspaces", routes.keyspaces.count)
        text.field("shards_held", shards.count)
        text.field("shards_serving", shards.count { $0.isServing })
        text.field("backlog_bytes", backlog)
        text.field("backlog_limit_bytes", settings.backlogBytes)
        text.field("backlog_batches", unapplied.count)
        text.field("disk_low", isDiskLow)
        text.field("cache_bytes", rows.bytes)
        text.field("cache_limit_bytes", settings.cacheBytes)
        text.field("cache_rows", rows.count)
        text.field("cache_loads", stats.loads)
        text.field(
            "cache_hit_ratio",
            InfoText.decimal(looked > 0 ? Double(looked &- stats.loads) / Double(looked) : 1))
        text.field("log_sync_slowest_usec", ownPace() / 1000)
        text.field("wall_clock_off_msec", wallOff)
        text.field("log_ticket", nextTicket - 1)
        text.field("log_durable_ticket", durableTicket)
        text.field("log_lag_batches", nextTicket - 1 - durableTicket)
        text.field(
            "log_lag_records", shards.reduce(0) { $0 + ($1.last.rawValue - min($1.commit.rawValue, $1.last.rawValue)) })
        text.field("forwards_unanswered", gateway.forwards.count)
        text.field("gateway_sessions", gateway.sessions.count)
        text.field("route_corrections", stats.corrections)
        text.field("parked_connections", parked.count)
        text.field("stalled_connections", stalls)
    }
}
