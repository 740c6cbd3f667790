import ClusterModel
import MetaCore
import Testing

/// `shard promote`: the role of the primary goes to another member that takes part (RULES C13).
@Suite(.timeLimit(.minutes(1)))
struct PromotionTests {
    private let shard = ShardID(rawValue: 1)

    /// Four nodes, one shard on d1 (primary), d2, d3, each heard with its copy; `lagging` still reports no epoch.
    private func group(lagging: Int? = nil) throws -> MetaGroup {
        var group = MetaGroup.serving(nodes: 4)
        _ = group.create("k", SchemeParameters(kind: .hash, shards: 1), replicas: 3)
        let current = try #require(group.state.shard(shard))
        for number in 1...3 {
            var report = servingReport(current)
            report.role = number == 1 ? .primary : .secondary
            if number == lagging { report.epoch = .none }
            _ = group.beat(dataBeat(number, since: group.state.routeVersion.rawValue, shards: [report]))
        }
        return group
    }

    private func promote(_ group: inout MetaGroup, _ node: String, plan: Bool = false) -> AdminAnswer? {
        group.admin(.promote(shard: shard, to: NodeID(rawValue: node), plan: plan))
    }

    private func failure(_ group: inout MetaGroup, _ node: String) -> AdminErrorCode? {
        let before = group.state
        guard case .failed(let code, _)? = promote(&group, node) else { return nil }
        #expect(group.state == before)
        return code
    }

    @Test func anotherMemberBecomesPrimaryAndAllStay() throws {
        var group = try group()
        let before = group.state
        guard case .done? = promote(&group, "d3", plan: true) else {
            Issue.record("no plan")
            return
        }
        #expect(group.state == before)
        guard case .done? = promote(&group, "d3") else {
            Issue.record("not done")
            return
        }
        let now = try #require(group.state.shard(shard))
        #expect(now.members.map(\.node.rawValue) == ["d3", "d1", "d2"])
        #expect(now.epoch.rawValue == 2 && now.handedOverFrom?.rawValue == "d1")
        #expect(now.primaryBoot == group.state.node(NodeID(rawValue: "d3"))?.boot)
        // The next one waits until this one has begun.
        #expect(failure(&group, "d2") == .unavailable)
    }

    @Test func whoIsPrimaryAlreadyStaysSo() throws {
        var group = try group()
        let before = group.state
        guard case .done? = promote(&group, "d1") else {
            Issue.record("not done")
            return
        }
        #expect(group.state == before)
    }

    @Test func whoCannotTakeTheRoleIsRefused() throws {
        var group = try group(lagging: 2)
        #expect(failure(&group, "d4") == .refused)
        #expect(failure(&group, "d9") == .notFound)
        #expect(failure(&group, "d2") == .unavailable)
        _ = group.admin(.setMaintenance(node: NodeID(rawValue: "d3"), on: true, plan: false))
        #expect(failure(&group, "d3") == .refused)
        guard
            case .failed(.notFound, _)? = group.admin(
                .promote(shard: ShardID(rawValue: 99), to: NodeID(rawValue: "d1"), plan: false))
        else {
            Issue.record("a shard that is none")
            return
        }
    }

    @Test func withoutAPrimaryThatServesNothingIsHandedOver() throws {
        var group = try group()
        var report = stoppedReport(try #require(group.state.shard(shard)))
        report.role = .primary
        _ = group.beat(dataBeat(1, since: group.state.routeVersion.rawValue, shards: [report]))
        #expect(failure(&group, "d2") == .unavailable)
    }
}
