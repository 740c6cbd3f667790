import ClusterModel
import MetaCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct KeyspaceTests {
    private func key(_ text: String) -> Key { Key(Array(text.utf8)) }

    @Test func aKeyspaceServesWhenItsShardsReport() throws {
        var group = MetaGroup.serving(nodes: 3)
        guard case .keyspaceCreated(_, let keyspace, let shards)? = group.create() else {
            Issue.record("not created")
            return
        }
        #expect(keyspace.name == "default" && keyspace.scheme == .hash && keyspace.shards == 16)
        #expect(keyspace.replicas == 1 && keyspace.flow == .fanout && keyspace.ack == .all && keyspace.minInSync == 1)
        #expect(keyspace.state == .down)
        #expect(shards.map(\.state) == Array(repeating: .down, count: 16))
        #expect(shards.allSatisfy { $0.primary == nil && $0.members.count == 1 })
        group.beatAll()
        guard case .shards(let items)? = group.admin(.listShards(keyspace: "default")),
            case .keyspaces(let keyspaces)? = group.admin(.listKeyspaces),
            case .status(let status)? = group.admin(.status)
        else {
            Issue.record("no lists")
            return
        }
        #expect(items.allSatisfy { $0.state == .serving && $0.primary == $0.members.first })
        #expect(items.map(\.from).first == .slot(0) && items.map(\.to).last == .slot(16384))
        #expect(keyspaces.map(\.state) == [.serving])
        #expect(status.health == .healthy)
        #expect(status.shards == ClusterStatus.Shards(total: 16, serving: 16, underReplicated: 0))
    }

    @Test func anExistingNameChangesNothing() {
        var group = MetaGroup.serving(nodes: 1)
        _ = group.create()
        let before = group.state.routeVersion
        guard case .failed(.refused, let message)? = group.create() else {
            Issue.record("created twice")
            return
        }
        #expect(message.contains("exists"))
        #expect(group.state.routeVersion == before)
    }

    @Test func twoCreationsOfOneNameInOneEntryAreJudgedInOrder() {
        var group = MetaGroup.serving(nodes: 1)
        group.paused = [0]
        group.pass(600)
        let wish = AdminRequest.createKeyspace(
            KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .hash)), plan: false)
        let first = group.post(0, .admin(wish))
        let second = group.post(0, .admin(wish))
        group.resume(0)
        guard case .admin(.keyspaceCreated)? = group.replies[first],
            case .admin(.failed(.refused, _))? = group.replies[second]
        else {
            Issue.record("not judged in order")
            return
        }
    }

    @Test func withoutANodeNothingIsCreated() {
        var group = MetaGroup()
        group.feed(0, .tick)
        guard case .failed(.refused, let message)? = group.create() else {
            Issue.record("created")
            return
        }
        #expect(message.contains("no node is up"))
    }

    @Test(arguments: [
        (KeyspaceWish(name: "9bad", scheme: SchemeParameters(kind: .hash)), AdminErrorCode.usage, "name"),
        (KeyspaceWish(name: "", scheme: SchemeParameters(kind: .hash)), .usage, "name"),
        (KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .hash, shards: 0)), .usage, "--shards"),
        (KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .hash, shards: 4097)), .usage, "--shards"),
        (KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .hash, virtualNodes: 3)), .usage, "--vnodes"),
        (KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .ring, virtualNodes: 0)), .usage, "--vnodes"),
        (KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .ring, virtualNodes: 4096)), .usage, "shards"),
        (KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .list)), .usage, "--values"),
        (
            KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .range, splitAt: [Key([2]), Key([1])])), .usage,
            "--split-at"
        ),
        (KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .hash), replicas: 0), .usage, "--replicas"),
        (KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .hash), minInSync: 4), .usage, "--min-in-sync"),
        (KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .hash), ack: .one, read: .any), .usage, "--read any"),
    ])
    func badWishesAreRefusedInWords(_ wish: KeyspaceWish, _ code: AdminErrorCode, _ word: String) {
        var group = MetaGroup.serving(nodes: 3)
        let before = group.state.routeVersion
        guard case .failed(let found, let message)? = group.admin(.createKeyspace(wish, plan: false)) else {
            Issue.record("not refused")
            return
        }
        #expect(found == code)
        #expect(message.contains(word))
        #expect(group.state.routeVersion == before)
    }

    @Test(arguments: [
        SchemeParameters(kind: .hash, shards: 7), SchemeParameters(kind: .ring, virtualNodes: 1),
        SchemeParameters(kind: .ring), SchemeParameters(kind: .range, splitAt: [Key([98]), Key([99])]),
        SchemeParameters(kind: .list, groups: [ListGroup(name: "s", values: [Key([98]), Key([97])])]),
    ])
    func aPlanChangesNothingAndSaysWhatWould(_ scheme: SchemeParameters) {
        var group = MetaGroup.serving(nodes: 3)
        let before = group.state
        let wish = KeyspaceWish(name: "k", scheme: scheme)
        guard case .done(let version, let summary)? = group.admin(.createKeyspace(wish, plan: true)) else {
            Issue.record("no plan")
            return
        }
        #expect(version == before.routeVersion)
        #expect(summary.contains("create \(scheme.kind.rawValue) keyspace k"))
        #expect(group.state == before)
        guard case .keyspaceCreated(_, let info, let shards)? = group.admin(.createKeyspace(wish, plan: false)) else {
            Issue.record("not created")
            return
        }
        #expect(info.shards == shards.count)
        #expect(group.state.shards.count == shards.count)
    }

    @Test func aDroppedNameComesBackWithOtherNumbers() throws {
        var group = MetaGroup.serving(nodes: 1)
        _ = group.create()
        let first = try #require(group.state.keyspace(named: "default"))
        let shards = group.state.shards(of: first.id).map(\.id)
        guard case .failed(.notFound, _)? = group.admin(.dropKeyspace(name: "other", plan: false)),
            case .done(let version, _)? = group.admin(.dropKeyspace(name: "default", plan: false))
        else {
            Issue.record("not dropped")
            return
        }
        #expect(version == group.state.routeVersion)
        #expect(group.state.shards.count == 0)
        _ = group.create()
        let second = try #require(group.state.keyspace(named: "default"))
        #expect(second.id > first.id)
        #expect(Set(group.state.shards(of: second.id).map(\.id)).isDisjoint(with: shards))
    }

    @Test func aNewPolicyIsANewEpochOfEveryShard() throws {
        var group = MetaGroup.serving(nodes: 2)
        _ = group.create()
        guard case .done? = group.admin(.setKeyspace(name: "default", settings: ["ack": "majority"], plan: false))
        else {
            Issue.record("not set")
            return
        }
        let keyspace = try #require(group.state.keyspace(named: "default"))
        #expect(keyspace.policy.ack == .majority)
        for shard in group.state.shards(of: keyspace.id) {
            #expect(shard.epoch.rawValue == 2 && shard.policy == keyspace.policy)
        }
        guard case .done? = group.admin(.setKeyspace(name: "default", settings: ["split-bytes": "1000"], plan: false))
        else {
            Issue.record("not set")
            return
        }
        #expect(group.state.keyspace(named: "default")?.settings == ["split-bytes": "1000"])
        #expect(group.state.shards(of: keyspace.id).allSatisfy { $0.epoch.rawValue == 2 })
    }

    @Test(arguments: [
        (["color": "red"], AdminErrorCode.usage), (["ack": "some"], .usage), (["split-bytes": "+5"], .usage),
        (["split-bytes": "0"], .usage), (["auto-split": "yes"], .usage),
        (["min-in-sync": "3"], .usage), (["merge-bytes": "600", "split-bytes": "1000"], .usage), ([:], .usage),
        (["ack": "one", "read": "any"], .usage),
    ])
    func badSettingsChangeNothing(_ settings: [String: String], _ code: AdminErrorCode) {
        var group = MetaGroup.serving(nodes: 1)
        _ = group.create()
        let before = group.state
        guard case .failed(let found, _)? = group.admin(.setKeyspace(name: "default", settings: settings, plan: false))
        else {
            Issue.record("not refused")
            return
        }
        #expect(found == code)
        #expect(group.state == before)
    }

    @Test func withoutANumberThereAreThreeReplicasOrOneForEachNode() throws {
        for (nodes, replicas, minInSync) in [(1, 1, 1), (2, 2, 2), (3, 3, 2), (5, 3, 2)] {
            var group = MetaGroup.serving(nodes: nodes)
            let wish = KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .hash))
            guard case .done(_, let plan)? = group.admin(.createKeyspace(wish, plan: true)),
                case .keyspaceCreated(_, let keyspace, let shards)? = group.create("k", replicas: nil)
            else {
                Issue.record("not created")
                return
            }
            #expect(plan.contains("\(replicas) replica"))
            #expect(keyspace.replicas == replicas && keyspace.minInSync == minInSync)
            for shard in shards { #expect(Set(shard.members).count == replicas) }
            for shard in group.state.shards.values.map(\.value) {
                #expect(shard.epoch.rawValue == 1)
                #expect(shard.members.allSatisfy { $0.incarnation == .first })
                #expect(shard.primaryBoot == shard.primary.flatMap { group.state.node($0.node) }?.boot)
            }
        }
    }

    @Test func replicasNeedHostsOfTheirOwn() {
        var group = MetaGroup()
        group.feed(0, .tick)
        for number in 1...4 { _ = group.beat(dataBeat(number, host: number < 3 ? "h1" : "h\(number)")) }
        let before = group.state
        guard case .failed(.refused, let message)? = group.create(replicas: 4) else {
            Issue.record("placed on one host")
            return
        }
        #expect(message.contains("4 replicas") && message.contains("are 3 (h1, h3, h4)"))
        #expect(group.state == before)
        guard case .keyspaceCreated? = group.create(replicas: 3) else {
            Issue.record("not created")
            return
        }
        for shard in group.state.shards.values.map(\.value) {
            #expect(Set(shard.members.map { $0.node.rawValue }).isDisjoint(with: ["d1", "d2"]) == false)
            #expect(shard.member(on: NodeID(rawValue: "d1")) == nil || shard.member(on: NodeID(rawValue: "d2")) == nil)
        }
    }

    @Test func nodesThatWereToldOfNoHostShareNoFate() {
        var group = MetaGroup()
        group.feed(0, .tick)
        for number in 1...3 { _ = group.beat(dataBeat(number, host: "")) }
        guard case .keyspaceCreated(_, let keyspace, _)? = group.create(replicas: nil) else {
            Issue.record("not created")
            return
        }
        #expect(keyspace.replicas == 3)
    }

    @Test func aNodeInMaintenanceGetsNoNewShard() {
        var group = MetaGroup.serving(nodes: 2)
        _ = group.admin(.setMaintenance(node: NodeID(rawValue: "d1"), on: true, plan: false))
        _ = group.create()
        #expect(group.state.replicas(on: NodeID(rawValue: "d1")).all == 0)
        #expect(group.state.replicas(on: NodeID(rawValue: "d2")).all == 16)
    }

    @Test func aNodeThatHoldsReplicasIsNotRemoved() {
        var group = MetaGroup.serving(nodes: 1)
        _ = group.create()
        group.pass(40_000)
        guard
            case .failed(.refused, let message)? = group.admin(
                .removeNode(node: NodeID(rawValue: "d1"), plan: false))
        else {
            Issue.record("removed")
            return
        }
        #expect(message.contains("only copy of shard 1"))
    }
}
