internal import ClusterModel
internal import MetaCore
internal import SharedLog

extension MetaServer {
    /// What /metrics shows of a metasrv; on the loop alone.
    var families: [MetricFamily] {
        let state = core.state
        let isPrimary = if case .primary = core.role { true } else { false }
        func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
            MetricFamily("ostraka_meta_\(name)", .gauge, help: help, value)
        }
        return [
            MetricFamily(
                "ostraka_info", .gauge, help: "The version of this program.",
                samples: [
                    MetricFamily.Sample(
                        .number(1),
                        labels: [
                            MetricFamily.Label("program", "metasrv"),
                            MetricFamily.Label("version", OstrakaVersion.text),
                            MetricFamily.Label("id", core.settings.id),
                        ])
                ]),
            gauge("primary", "1 while this process is the primary of the metadata group.", isPrimary ? 1 : 0),
            gauge("term", "The metadata group's term.", Double(state.term.rawValue)),
            gauge(
                "log_position", "The last position of the shared log that is applied.", Double(state.position.rawValue)),
            gauge("route_version", "The version of the shard map.", Double(state.routeVersion.rawValue)),
            gauge("keyspaces", "Keyspaces that exist.", Double(state.keyspaces.count)),
            gauge("shards", "Shards that exist.", Double(state.shards.count)),
            gauge("nodes", "Data nodes that are registered and not removed.", Double(state.members.count)),
            gauge("connections", "Connections open now.", Double(connections)),
            MetricFamily(
                "ostraka_meta_rejected_connections_total", .counter,
                help: "Connections refused since too many were open.",
                Double(rejectedConnections)),
            MetricFamily(
                "ostraka_meta_requests_total", .counter, help: "Requests by command.",
                samples: requests.sorted { $0.key < $1.key }.map {
                    MetricFamily.Sample(.number(Double($0.value)), labels: [MetricFamily.Label("command", $0.key)])
                }),
        ]
    }
}
