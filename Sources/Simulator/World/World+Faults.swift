public import ClusterModel
import MetaCore

extension World {
    /// Ends a node's process and starts it again: at once after a kill, later after the loss of power.
    public func restart(_ node: Int, byPower: Bool) {
        let machine = nodes[node]
        guard machine.isUp else { return }
        machine.stop(byPower: byPower)
        after(byPower ? 500_000_000 : 100_000_000) { byPower ? machine.powerUp() : machine.start() }
    }

    /// Ends a node's process for good, until `revive`.
    public func kill(_ node: Int, byPower: Bool) { nodes[node].stop(byPower: byPower) }

    /// Starts a node that was killed.
    public func revive(_ node: Int) { nodes[node].powerUp() }

    /// Breaks all connections between two machines, with what is under way.
    public func breakLinks(between one: Int, and other: Int) {
        network.reset(between: nodes[one].host, and: nodes[other].host)
    }

    /// The configuration of the shard that a key of the world's keyspace lies in, by the primary metasrv.
    public func shard(holding key: String) -> ShardConfiguration? {
        guard let state = metas.first(where: \.isPrimary)?.state,
            let keyspace = state.keyspace(named: settings.keyspace.name)
        else { return nil }
        var routes = RouteTable()
        guard let delta = state.delta(since: .zero) else { return nil }
        _ = routes.apply(delta)
        return routes.locate(Array(key.utf8), in: keyspace.id)
    }
}
