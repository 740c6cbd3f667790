internal import ClusterModel
internal import DataCore

/// What /metrics shows of a data node: the core's report, and what the threads around it counted.
enum DataMetrics {
    private typealias Label = MetricFamily.Label
    private typealias Sample = MetricFamily.Sample

    /// Asks the reactor's core between two turns; what its threads counted is read at once.
    static func source(
        _ mailbox: Mailbox<ReactorMessage>, writer: LogWriter, applier: Applier, batchSizes: HistogramHandler
    ) -> MetricsSource {
        MetricsSource { done in
            mailbox.post(
                .visit { node in
                    let report = node.report()
                    done(
                        families(report) + families(writer.counters) + families(applier.counters) + [
                            MetricFamily(
                                "ostraka_batch_commands", .histogram,
                                help: "Commands that one turn of the reactor ran.",
                                samples: [Sample(batchSizes.value)])
                        ])
                })
        }
    }

    // MARK: The core

    static func families(_ report: NodeReport) -> [MetricFamily] {
        var families = commands(report) + connections(report) + storage(report) + shards(report)
        families.append(
            MetricFamily(
                "ostraka_info", .gauge, help: "The version of this program.",
                samples: [
                    Sample(
                        .number(1),
                        labels: [
                            Label("program", "datasrv"), Label("version", OstrakaVersion.text),
                            Label("id", "\(report.id)"),
                        ])
                ]))
        return families
    }

    private static func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) -> MetricFamily {
        MetricFamily("ostraka_\(name)", .gauge, help: help, Double(value))
    }

    private static func counter(_ name: String, _ help: String, _ value: some BinaryInteger) -> MetricFamily {
        MetricFamily("ostraka_\(name)_total", .counter, help: help, Double(value))
    }

    private static func commands(_ report: NodeReport) -> [MetricFamily] {
        let bounds = report.latencyBounds.map { Double($0) / 1e6 }
        func each(_ value: (NodeReport.Command) -> MetricFamily.Value?) -> [Sample] {
            report.commands.compactMap { command in
                value(command).map { Sample($0, labels: [Label("command", command.name)]) }
            }
        }
        return [
            MetricFamily(
                "ostraka_commands_total", .counter, help: "Commands run, by command.",
                samples: each { .number(Double($0.calls)) }),
            MetricFamily(
                "ostraka_command_failures_total", .counter, help: "Commands that ran and gave an error, by command.",
                samples: each { .number(Double($0.failed)) }),
            MetricFamily(
                "ostraka_command_rejections_total", .counter, help: "Commands refused before they ran, by command.",
                samples: each { .number(Double($0.rejected)) }),
            MetricFamily(
                "ostraka_command_duration_seconds", .histogram,
                help: "Time of commands in the core, by command; waiting for disk and other nodes is not in it.",
                samples: each { command in
                    HistogramCount(
                        bounds: bounds, counts: command.latencies, sum: Double(command.nanoseconds) / 1e9
                    ).map { .histogram($0) }
                }),
            MetricFamily(
                "ostraka_errors_total", .counter, help: "Error replies, by the word they begin with.",
                samples: report.errors.map { Sample(.number(Double($0.count)), labels: [Label("error", $0.word)]) }),
            gauge("commands_waiting", "Connections whose command waits for disk, lease or other nodes.", report.parked),
            gauge("forwards", "Commands forwarded to other nodes and not yet answered.", report.forwards),
            gauge("gateway_sessions", "Sessions of other nodes' gateways.", report.sessions),
            counter("route_corrections", "Configurations learned from other nodes.", report.corrections),
            gauge("route_version", "The version of the shard map that this node holds.", report.routeVersion.rawValue),
            gauge("registered", "1 once the metadata group took this node in.", report.isRegistered ? 1 : 0),
        ]
    }

    private static func connections(_ report: NodeReport) -> [MetricFamily] {
        [
            gauge("connections", "Client connections open now.", report.clients),
            counter("connections", "Client connections opened.", report.openedConnections),
            counter(
                "rejected_connections", "Connections refused since too many were open.", report.rejectedConnections),
        ]
    }

    private static func storage(_ report: NodeReport) -> [MetricFamily] {
        [
            counter("keyspace_hits", "Reads that found their key.", report.hits),
            counter("keyspace_misses", "Reads that found no key.", report.misses),
            counter("row_loads", "Rows that were not in memory and asked of LevelDB.", report.loads),
            counter("expired_keys", "Keys removed since their time had come.", report.expired),
            gauge("cache_rows", "Rows in memory.", report.rows),
            gauge("cache_bytes", "Bytes of rows in memory.", report.rowBytes),
            gauge("cache_limit_bytes", "Bytes that rows may take in memory: --cache.", report.cacheBytes),
            gauge("backlog_bytes", "Bytes of committed writes that LevelDB does not hold yet.", report.backlogBytes),
            gauge("backlog_batches", "Log batches that LevelDB does not hold yet.", report.batches),
            gauge("write_stalls", "Connections whose writes wait since LevelDB is behind.", report.stalls),
            gauge("log_ticket", "The last batch given to the log.", report.logTicket),
            gauge("log_durable_ticket", "The last batch that is durable.", report.durableTicket),
            gauge("disk_low", "1 while the disk's reserve is reached and growth is refused.", report.isDiskLow ? 1 : 0),
        ]
    }

    private static func shards(_ report: NodeReport) -> [MetricFamily] {
        func each(_ name: String, _ help: String, _ value: (NodeReport.Shard) -> Double) -> MetricFamily {
            MetricFamily(
                "ostraka_shard_\(name)", .gauge, help: help,
                samples: report.shards.map {
                    Sample(
                        .number(value($0)), labels: [Label("shard", "\($0.id)"), Label("keyspace", $0.keyspace)])
                })
        }
        return [
            each("serving", "1 while this node serves the shard.") { $0.isServing ? 1 : 0 },
            each("epoch", "The epoch of the shard's configuration.") { Double($0.epoch.rawValue) },
            each("last_seq", "The last record logged.") { Double($0.last.rawValue) },
            each("durable_seq", "The last record durable on this node.") { Double($0.durable.rawValue) },
            each("commit_seq", "The last record committed.") { Double($0.commit.rawValue) },
            each("applied_seq", "The last record that LevelDB holds.") { Double($0.applied.rawValue) },
            each("bytes", "Bytes of the shard's store, approximately.") { Double($0.bytes) },
        ]
    }

    // MARK: The threads

    static func families(_ log: LogWriter.Counters) -> [MetricFamily] {
        // Bucket n of the writer holds what took less than 2^n microseconds.
        let bounds = (0..<log.syncBuckets.count - 1).map { Double(UInt64(1) << UInt64($0)) / 1e6 }
        let syncs = HistogramCount(bounds: bounds, counts: log.syncBuckets, sum: Double(log.syncNanos) / 1e9)
        return [
            MetricFamily(
                "ostraka_log_fsync_seconds", .histogram, help: "Time of the node log's syncs.",
                samples: syncs.map { [Sample(.histogram($0))] } ?? []),
            MetricFamily(
                "ostraka_log_fsync_longest_seconds", .gauge, help: "The longest sync since the last scrape.",
                Double(log.longestSyncNanos) / 1e9),
            counter("log_batches", "Batches written to the node log.", log.batches),
            counter("log_bytes", "Bytes written to the node log.", log.bytes),
        ]
    }

    static func families(_ applier: Applier.Counters) -> [MetricFamily] {
        [
            counter("leveldb_write_rounds", "Batches written to LevelDB.", applier.rounds),
            counter("leveldb_rows", "Rows written to LevelDB.", applier.rows),
            MetricFamily(
                "ostraka_leveldb_write_seconds_total", .counter, help: "Time spent in writes to LevelDB.",
                Double(applier.nanos) / 1e9),
            MetricFamily(
                "ostraka_leveldb_write_longest_seconds", .gauge,
                help: "The longest write since the last scrape: a stall.",
                Double(applier.longestNanos) / 1e9),
        ]
    }
}
