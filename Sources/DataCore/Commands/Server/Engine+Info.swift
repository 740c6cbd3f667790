import ClusterModel
internal import DequeModule

// INFO: the sections of Redis 7.0 with the fields that clients read, and one of this server's own.
extension Engine {
    /// Sections in the order they are shown.
    enum InfoSection: String, CaseIterable {
        case server, clients, memory, persistence, stats, replication, cpu, modules, commandstats, errorstats
        case latencystats, cluster, keyspace, ostraka

        /// Whether INFO without arguments shows it.
        var isDefault: Bool { self != .commandstats && self != .latencystats }
    }

    /// `INFO [section ...]`
    func info(_ call: Call) {
        var wanted: Set<InfoSection> = []
        if call.count == 1 { wanted = Set(InfoSection.allCases.filter(\.isDefault)) }
        for index in 1..<max(call.count, 1) {
            let name = String(decoding: CommandTable.lowercased(call[index]), as: UTF8.self)
            switch name {
            case "all", "everything": wanted.formUnion(InfoSection.allCases)
            case "default": wanted.formUnion(InfoSection.allCases.filter(\.isDefault))
            default: if let section = InfoSection(rawValue: name) { wanted.insert(section) }
            }
        }
        var text = InfoText()
        for section in InfoSection.allCases where wanted.contains(section) {
            write(section, to: &text, place: call.connection)
        }
        call.reply.verbatim(text.text)
    }

    private func write(_ section: InfoSection, to text: inout InfoText, place: Int) {
        switch section {
        case .server: writeServer(&text, place)
        case .clients: writeClients(&text)
        case .memory: writeMemory(&text)
        case .persistence: writePersistence(&text)
        case .stats: writeStats(&text)
        case .replication: writeReplication(&text)
        case .cpu: writeProcessor(&text)
        case .modules: text.section("Modules")
        case .commandstats: writeCommandStats(&text)
        case .errorstats: writeErrorStats(&text)
        case .latencystats: writeLatencyStats(&text)
        case .cluster:
            text.section("Cluster")
            text.field("cluster_enabled", isClusterPort(place))
        case .keyspace: writeKeyspaces(&text)
        case .ostraka: writeOwn(&text)
        }
    }

    private func writeServer(_ text: inout InfoText, _ place: Int) {
        let uptime = Int64((now.monotonic - stats.boot) / 1_000_000_000)
        let boot = String(settings.boot.rawValue, radix: 16)
        text.section("Server")
        text.field("redis_version", OstrakaVersion.redis)
        text.field("ostraka_version", OstrakaVersion.text)
        text.field("redis_git_sha1", "00000000")
        text.field("redis_git_dirty", 0)
        text.field("redis_build_id", "0")
        text.field("redis_mode", isClusterPort(place) ? "cluster" : "standalone")
        text.field("os", usage?.system ?? "Linux")
        text.field("arch_bits", Int.bitWidth)
        text.field("monotonic_clock", "POSIX clock_gettime")
        text.field("multiplexing_api", "epoll")
        text.field("process_id", usage?.process ?? 0)
        text.field("process_supervised", "no")
        text.field("run_id", "\(settings.store)" + String(("00000000" + boot).suffix(8)))
        text.field("tcp_port", isClusterPort(place) ? settings.address.port : settings.gateway.port)
        text.field("server_time_usec", now.wall * 1000)
        text.field("uptime_in_seconds", uptime)
        text.field("uptime_in_days", uptime / 86400)
        text.field("hz", 10)
        text.field("configured_hz", 10)
        text.field("lru_clock", now.wall / 1000 & 0xFF_FFFF)
        text.field("executable", usage?.executable ?? "")
        text.field("config_file", "")
        text.field("io_threads_active", 0)
    }

    private func writeClients(_ text: inout InfoText) {
        text.section("Clients")
        text.field("connected_clients", clients)
        text.field("cluster_connections", gateway.sessions.count)
        text.field("maxclients", settings.maxClients)
        text.zeros("client_recent_max_input_buffer client_recent_max_output_buffer")
        text.field("blocked_clients", connections.indices.count { isClient($0) && connections[$0].isBlocked })
        text.zeros("tracking_clients clients_in_timeout_table")
    }

    /// Rows, batches that wait for the stores, and what connections hold.
    private var usedMemory: Int { rows.bytes + backlog + clients * 2048 }

    private func writeMemory(_ text: inout InfoText) {
        let used = usedMemory
        let resident = usage?.residentBytes ?? used
        text.section("Memory")
        text.size("used_memory", used)
        text.size("used_memory_rss", resident)
        text.size("used_memory_peak", max(stats.peakMemory, used))
        text.field("used_memory_overhead", used - rows.bytes)
        text.field("used_memory_dataset", rows.bytes)
        text.size("total_system_memory", usage?.totalMemory ?? 0)
        text.size("used_memory_lua", 0)
        text.size("maxmemory", 0)
        text.field("maxmemory_policy", "noeviction")
        text.field("mem_fragmentation_ratio", InfoText.decimal(used > 0 ? Double(resident) / Double(used) : 1))
        text.field("mem_fragmentation_bytes", resident - used)
        text.zeros("mem_not_counted_for_evict mem_replication_backlog mem_clients_slaves")
        text.field("mem_clients_normal", clients * 2048)
        text.field("mem_aof_buffer", backlog)
        text.field("mem_allocator", "libc")
        text.zeros("active_defrag_running lazyfree_pending_objects lazyfreed_objects")
    }

    private func writePersistence(_ text: inout InfoText) {
        text.section("Persistence")
        text.zeros("loading async_loading current_fork_perc")
        text.field("rdb_changes_since_last_save", nextTicket - 1 - durableTicket)
        text.zeros("rdb_bgsave_in_progress")
        text.field("rdb_last_save_time", now.wall / 1000)
        text.field("rdb_last_bgsave_status", "ok")
        text.field("rdb_last_bgsave_time_sec", -1)
        text.field("rdb_current_bgsave_time_sec", -1)
        text.field("aof_enabled", 1)
        text.zeros("aof_rewrite_in_progress aof_rewrite_scheduled")
        text.field("aof_last_rewrite_time_sec", -1)
        text.field("aof_current_rewrite_time_sec", -1)
        text.field("aof_last_bgrewrite_status", "ok")
        text.field("aof_last_write_status", "ok")
    }

    private func writeStats(_ text: inout InfoText) {
        text.section("Stats")
        text.field("total_connections_received", stats.connections)
        text.field("total_commands_processed", stats.total)
        text.field("instantaneous_ops_per_sec", stats.rate)
        text.zeros("total_net_input_bytes total_net_output_bytes")
        text.field("instantaneous_input_kbps", "0.00")
        text.field("instantaneous_output_kbps", "0.00")
        text.field("rejected_connections", stats.rejectedConnections)
        text.zeros("sync_full sync_partial_ok sync_partial_err")
        text.field("expired_keys", stats.expired)
        text.field("expired_stale_perc", "0.00")
        text.zeros("expired_time_cap_reached_count evicted_keys evicted_clients")
        text.field("keyspace_hits", stats.hits)
        text.field("keyspace_misses", stats.misses)
        text.zeros("pubsub_channels pubsub_patterns latest_fork_usec total_forks migrate_cached_sockets")
        text.zeros("tracking_total_keys unexpected_error_replies")
        text.field("total_error_replies", stats.errors)
        text.field("total_reads_processed", stats.steps)
        text.field("total_writes_processed", stats.steps)
    }

    private func writeReplication(_ text: inout InfoText) {
        text.section("Replication")
        text.field("role", "master")
        text.field("connected_slaves", 0)
        let held = replicas.indices.filter { replicas[$0].state != .dropped }
        let others = held.filter { !replicas[$0].isLeading }.map { lag($0) }
        text.field("ostraka_primaries", held.count - others.count)
        text.field("ostraka_secondaries", others.count)
        text.field("ostraka_lost_records", stats.lostRecords)
        text.field("ostraka_lag_records", others.map(\.records).max() ?? 0)
        text.field("ostraka_lag_ms", others.map(\.millis).max() ?? 0)
        text.field("master_failover_state", "no-failover")
        text.field("master_replid", "\(settings.store)00000000")
        text.field("master_replid2", String(repeating: "0", count: 40))
        text.field("master_repl_offset", nextTicket - 1)
        text.field("second_repl_offset", -1)
        text.zeros("repl_backlog_active repl_backlog_size repl_backlog_first_byte_offset repl_backlog_histlen")
    }

    private func writeProcessor(_ text: inout InfoText) {
        text.section("CPU")
        text.field("used_cpu_sys", InfoText.seconds(micros: usage?.systemMicros ?? 0))
        text.field("used_cpu_user", InfoText.seconds(micros: usage?.userMicros ?? 0))
        text.field("used_cpu_sys_children", "0.000000")
        text.field("used_cpu_user_children", "0.000000")
    }
}
