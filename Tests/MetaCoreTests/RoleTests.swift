import ClusterModel
import MetaCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RoleTests {
    private func role(_ group: MetaGroup, _ index: Int) -> MetaRole { group.members[index].role }

    @Test func anEmptyLogIsFoundedAtOnce() {
        var group = MetaGroup()
        group.feed(0, .tick)
        #expect(role(group, 0) == .primary(Term(rawValue: 1)))
        #expect(group.log.count == 1)
        #expect(group.state.cluster != nil)
        #expect(group.roles[0] == [.primary(Term(rawValue: 1))])
    }

    @Test func ofTwoThatFoundAtOnceOneWinsAndTheOtherFollows() {
        var group = MetaGroup(2)
        group.paused = [0, 1]
        group.feed(0, .tick)
        group.feed(1, .tick)
        group.resume(1)
        group.resume(0)
        group.pass(1000)
        #expect(role(group, 1) == .primary(Term(rawValue: 1)))
        #expect(role(group, 0) == .standby(primary: Address(host: "127.0.0.1", port: 7411)))
        #expect(group.members[0].state.cluster == group.members[1].state.cluster)
    }

    @Test func aStandbyNamesThePrimaryAndAnswersItsStatus() {
        var group = MetaGroup(2)
        group.feed(0, .tick)
        group.pass(1000)
        let primary = Address(host: "127.0.0.1", port: 7410)
        #expect(group.ask(1, .routes(since: .zero)) == .notPrimary(primary))
        #expect(group.ask(1, .admin(.listNodes)) == .notPrimary(primary))
        #expect(group.ask(1, .heartbeat(dataBeat(1))) == .notPrimary(primary))
        guard case .status(let status)? = group.ask(1, .status) else {
            Issue.record("no status")
            return
        }
        #expect(status.role == .standby)
        #expect(status.primary == primary)
        #expect(status.id == "m2")
        #expect(status.term == Term(rawValue: 1))
        #expect(status.position == group.members[1].state.position)
    }

    @Test func aHealthyPrimaryIsNeverReplaced() {
        var group = MetaGroup(3)
        group.feed(0, .tick)
        group.pass(60_000)
        #expect(role(group, 0) == .primary(Term(rawValue: 1)))
        #expect(group.members[2].state.term == Term(rawValue: 1))
    }

    @Test func aStandbyTakesOverWhenTheBeatsStop() {
        var group = MetaGroup(2)
        group.feed(0, .tick)
        group.pass(1000)
        group.pass(2900, only: [1])
        #expect(role(group, 1) == .standby(primary: Address(host: "127.0.0.1", port: 7410)))
        group.pass(2200, only: [1])
        #expect(role(group, 1) == .primary(Term(rawValue: 2)))
        // The former primary wakes, adds its next entry, and learns it.
        group.pass(1000)
        #expect(role(group, 0) == .deposed)
        #expect(group.roles[0]?.last == .deposed)
        #expect(group.ask(0, .status) == .notPrimary(nil))
        group.start(0)
        group.pass(1000)
        #expect(role(group, 0) == .standby(primary: Address(host: "127.0.0.1", port: 7411)))
    }

    @Test func aWriteThatAPauseHeldBackLosesItsPosition() {
        var group = MetaGroup(2)
        group.feed(0, .tick)
        group.pass(1000)
        group.paused = [0]
        let request = group.post(0, .heartbeat(dataBeat(1)))
        group.pass(6000, only: [1])
        #expect(role(group, 1) == .primary(Term(rawValue: 2)))
        #expect(group.replies[request] == nil)
        group.resume(0)
        #expect(group.replies[request] == .notPrimary(nil))
        #expect(role(group, 0) == .deposed)
        #expect(group.members[1].state.nodes.count == 0)
    }

    @Test func twoStandbysNeverShareATerm() {
        var group = MetaGroup(3)
        group.feed(0, .tick)
        group.pass(1000)
        group.paused = [1, 2]
        group.pass(6000, only: [1, 2])
        group.resume(2)
        group.resume(1)
        group.pass(1000, only: [1, 2])
        #expect(role(group, 2) == .primary(Term(rawValue: 2)))
        #expect(role(group, 1) == .standby(primary: Address(host: "127.0.0.1", port: 7412)))
    }

    @Test func nothingIsToldBeforeItIsDurable() {
        var group = MetaGroup()
        group.feed(0, .tick)
        group.paused = [0]
        let beat = group.post(0, .heartbeat(dataBeat(1)))
        let twice = group.post(0, .heartbeat(dataBeat(1)))
        let create = group.post(
            0,
            .admin(
                .createKeyspace(
                    KeyspaceWish(name: "k", scheme: SchemeParameters(kind: .hash)), plan: false)))
        #expect(group.replies.isEmpty)
        guard case .routes(let early)? = group.ask(0, .routes(since: .zero)) else {
            Issue.record("no routes")
            return
        }
        #expect(early.nodes.isEmpty && early.version == .zero)
        group.resume(0)
        for request in [beat, twice] {
            guard case .heartbeat(let answer)? = group.replies[request] else {
                Issue.record("no answer")
                return
            }
            #expect(answer.refusal == nil)
            #expect(answer.delta?.nodes.map(\.id.rawValue) == ["d1"])
        }
        guard case .admin(.keyspaceCreated(let version, _, let shards))? = group.replies[create] else {
            Issue.record("not created")
            return
        }
        #expect(version == RouteVersion(rawValue: 2))
        #expect(shards.count == 16)
    }

    @Test func aFullDiskRefusesChangesAndThePrimaryGoesOn() {
        var group = MetaGroup.serving(nodes: 1)
        group.failing = [0]
        guard case .failed(let code, let message)? = group.create() else {
            Issue.record("not refused")
            return
        }
        #expect(code == .unavailable)
        #expect(message.contains("no space left"))
        group.failing = []
        group.pass(1000)
        guard case .keyspaceCreated? = group.create() else {
            Issue.record("not created")
            return
        }
    }

    @Test func aNodeCountsAsUpOnlyAfterABeatInThisTerm() {
        var group = MetaGroup(2)
        group.feed(0, .tick)
        _ = group.beat(dataBeat(1))
        group.pass(1000)
        group.pass(6000, only: [1])
        guard case .nodes(let before)? = group.admin(.listNodes, at: 1) else {
            Issue.record("no nodes")
            return
        }
        #expect(before.map(\.state) == [.down])
        _ = group.beat(dataBeat(1), at: 1)
        guard case .nodes(let after)? = group.admin(.listNodes, at: 1) else {
            Issue.record("no nodes")
            return
        }
        #expect(after.map(\.state) == [.up])
    }

    /// RULES B9: the primary's beats in the log go on, but no data node reaches it.
    @Test func aStandbyThatMostNodesTurnToTakesOver() {
        var group = MetaGroup(2)
        group.feed(0, .tick)
        for number in 1...3 { _ = group.beat(dataBeat(number)) }
        group.pass(1000)
        // A single look for the primary is no appeal.
        for number in 1...3 { _ = group.ask(1, .heartbeat(dataBeat(number))) }
        group.pass(6000)
        #expect(role(group, 0) == .primary(Term(rawValue: 1)))
        // One node of three that comes again and again is not enough.
        for _ in 0..<10 {
            _ = group.ask(1, .heartbeat(dataBeat(1)))
            group.pass(500)
        }
        #expect(role(group, 0) == .primary(Term(rawValue: 1)))
        for _ in 0..<10 {
            for number in 1...2 { _ = group.ask(1, .heartbeat(dataBeat(number))) }
            group.pass(500)
        }
        #expect(role(group, 1) == .primary(Term(rawValue: 2)))
        #expect(role(group, 0) == .deposed)
    }
}
