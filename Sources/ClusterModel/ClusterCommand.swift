/// One entry of the metadata group's shared log: a change of the metadata state. Applied in order it gives the same
/// state on every metasrv (RULES I4), so a command holds all that was decided, never something to decide while applying.
public enum ClusterCommand: Hashable, Codable, Sendable {
    /// Founds the cluster; the first entry of every log.
    case found(cluster: UniqueID)
    /// A metasrv takes the next term (RULES B1); `listen` is where it answers.
    case takeOver(term: Term, id: String, listen: Address)
    /// The primary of `term` still works.
    case beat(term: Term)
    /// A node's first beat, or the first after a restart: its entry, and the new epochs of the shards it is primary of
    /// (RULES C11). `isSetBack`: its directory is from before the start that was registered, so that its copies may lack
    /// what they acknowledged (RULES H1); nil = no.
    case register(Node, configurations: [ShardConfiguration], isSetBack: Bool? = nil)
    /// Weight, zone, addresses or standing changed.
    case updateNode(Node)
    case createKeyspace(Keyspace, shards: [ShardConfiguration])
    /// New policy or settings, with the new configurations of its shards when the policy changed.
    case updateKeyspace(Keyspace, shards: [ShardConfiguration])
    case dropKeyspace(KeyspaceID)
    /// Compare-and-set of one shard: effective only if the shard's epoch is `expected`.
    case reconfigure(expected: Epoch, ShardConfiguration)

    // Names in place of `_0`, since people read the log.
    private enum RegisterCodingKeys: String, CodingKey {
        case _0 = "node"
        case configurations
        case isSetBack
    }
    private enum UpdateNodeCodingKeys: String, CodingKey { case _0 = "node" }
    private enum CreateKeyspaceCodingKeys: String, CodingKey {
        case _0 = "keyspace"
        case shards
    }
    private enum UpdateKeyspaceCodingKeys: String, CodingKey {
        case _0 = "keyspace"
        case shards
    }
    private enum DropKeyspaceCodingKeys: String, CodingKey { case _0 = "keyspace" }
    private enum ReconfigureCodingKeys: String, CodingKey {
        case expected
        case _1 = "configuration"
    }
}
