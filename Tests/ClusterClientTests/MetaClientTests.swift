import ClusterClient
import ClusterModel
import Testing
import Wire

@Suite("A client of the metadata group", .timeLimit(.minutes(1)))
struct MetaClientTests {
    private func client(_ addresses: [Address]) -> MetaClient {
        MetaClient(
            options: MetaOptions(
                addresses: addresses, deadline: .seconds(30),
                backoff: RetryBackoff(base: .milliseconds(1), factor: 2, cap: .milliseconds(4))))
    }

    private let change = AdminRequest.dropKeyspace(name: "k", plan: false)

    @Test("NOTPRIMARY is followed, also to a metasrv that was not named, and remembered") func redirect() async throws {
        let primary = try await ScriptedServer { _ in .say("+OK\r\n") }
        let standby = try await ScriptedServer { _ in .say("-NOTPRIMARY \(primary.address)\r\n") }
        let client = client([standby.address])
        for _ in 0..<3 {
            let answer = try await client.send([bytes("META.ROUTES"), bytes("0")], isRepeatable: true)
            #expect(answer == .simpleString(bytes("OK")))
        }
        #expect(standby.requests.count == 1 && primary.requests.count == 3)
        await client.close()
    }

    @Test("two standbys that name each other are not asked without end") func circle() async throws {
        let first = try await ScriptedServer { _ in .keepSilent }
        let second = try await ScriptedServer { _ in .say("-NOTPRIMARY \(first.address)\r\n") }
        first.follow { _ in .say("-NOTPRIMARY \(second.address)\r\n") }
        // After one round over the addresses the next wait would outlast the deadline.
        let client = MetaClient(
            options: MetaOptions(
                addresses: [first.address, second.address], deadline: .seconds(5),
                backoff: RetryBackoff(base: .seconds(20), cap: .seconds(20))))
        let error = await #expect(throws: MetaClientError.self) {
            _ = try await client.send([bytes("META.ROUTES"), bytes("0")], isRepeatable: true)
        }
        guard case .noPrimary = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let requests = first.requests.count + second.requests.count
        #expect((1...Limits.routeAttempts + 2).contains(requests))
        await client.close()
    }

    @Test("a change whose outcome is unknown is never sent again", arguments: [true, false])
    func unknownOutcome(hangsUp: Bool) async throws {
        let first = try await ScriptedServer { _ in hangsUp ? .hangUp : .keepSilent }
        let second = try await ScriptedServer { _ in .say("+OK\r\n") }
        let client = MetaClient(
            options: MetaOptions(
                addresses: [first.address, second.address], requestTimeout: .milliseconds(100), deadline: .seconds(30)))
        let error = await #expect(throws: MetaClientError.self) { _ = try await client.admin(change) }
        guard case .uncertain(first.address, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        // A request that does no harm twice goes on to the next.
        let answer = try await client.send([bytes("META.ROUTES"), bytes("0")], isRepeatable: true)
        #expect(answer == .simpleString(bytes("OK")))
        #expect((first.requests + second.requests).filter { $0.words[0] == "META.ADMIN" }.count == 1)
        await client.close()
    }

    @Test("a change that never left goes to the next address") func neverLeft() async throws {
        let dead = try await ScriptedServer { _ in .keepSilent }
        try await dead.close()
        let alive = try await ScriptedServer { _ in .say("-REFUSED by a rule\r\n") }
        let client = client([dead.address, alive.address])
        let error = await #expect(throws: MetaClientError.self) { _ = try await client.admin(change) }
        #expect(error == .refused(ServerError(code: "REFUSED", message: "by a rule")))
        #expect(alive.requests.count == 1)
        await client.close()
    }
}
