import ClusterClient
import ClusterModel
import Testing
import Wire

@Suite("One connection", .timeLimit(.minutes(1)))
struct ConnectionTests {
    private func result(
        _ connection: RESPConnection, _ words: String..., timeout: Duration = .seconds(30)
    ) async -> Result<RESPValue, RESPConnectionError> {
        do {
            return .success(try await connection.send(words.map(bytes), timeout: timeout))
        } catch {
            return .failure(error)
        }
    }

    @Test("replies find their requests by their order, however the stream is cut", arguments: [1, 3, 7, 1000])
    func order(pieces: Int) async throws {
        let server = try await ScriptedServer { _ in .keepSilent }
        let connection = try await RESPConnection.connect(to: server.address)
        let count = 400
        async let answers = withTaskGroup(of: (Int, Result<RESPValue, RESPConnectionError>).self) { tasks in
            for number in 0..<count { tasks.addTask { (number, await result(connection, "ECHO", "\(number)")) } }
            return await tasks.reduce(into: []) { $0.append($1) }
        }
        await server.received(count)
        // All at once, in the order in which the requests came, which is not that of the numbers.
        let words = server.requests.map { $0.words[1] }
        server.say(words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined(), pieces: pieces)
        for (number, answer) in await answers { #expect(answer == .success(.bulkString(bytes("\(number)")))) }
        let more = await connection.send(pipeline: [])
        #expect(more.isEmpty && server.connections == 1 && connection.outstanding == 0)
        connection.close()
    }

    @Test("a pipeline's replies come in its order") func pipeline() async throws {
        let server = try await ScriptedServer(echo)
        let connection = try await RESPConnection.connect(to: server.address)
        let keys = (0..<500).map { bytes("key:\($0)") }
        let replies = await connection.send(pipeline: keys.map { [bytes("GET"), $0] })
        #expect(replies == keys.map { .success(.bulkString($0)) })
        connection.close()
    }

    @Test("a request that timed out does not give its reply to the one behind it") func lateReply() async throws {
        let server = try await ScriptedServer { _ in .keepSilent }
        let connection = try await RESPConnection.connect(to: server.address)
        // Somebody else waits before it, so that the connection is worth keeping.
        async let first = result(connection, "GET", "a")
        await server.received(1)
        let failure = try #require(await result(connection, "GET", "b", timeout: .milliseconds(50)).failure)
        #expect(failure.kind == .timedOut && failure.bytesLeft)
        #expect(!connection.isUsable, "no new request while a reply is overdue, if there is another connection")
        async let third = result(connection, "GET", "c")
        await server.received(3)
        server.say(["a", "b", "c"].map { "$1\r\n\($0)\r\n" }.joined())
        #expect(await first == .success(.bulkString(bytes("a"))))
        #expect(await third == .success(.bulkString(bytes("c"))))
        #expect(connection.isUsable && !connection.isClosed)
        connection.close()
    }

    @Test("a connection on which nobody waits for an overdue reply is closed") func overdue() async throws {
        let server = try await ScriptedServer { _ in .keepSilent }
        let connection = try await RESPConnection.connect(to: server.address)
        let failure = try #require(await result(connection, "GET", "a", timeout: .milliseconds(50)).failure)
        #expect(failure.kind == .timedOut && failure.bytesLeft)
        await server.received(1)
        server.say("$1\r\na\r\n")
        let next = try #require(await result(connection, "GET", "b").failure)
        #expect(!next.bytesLeft, "it promises that nothing was executed")
        #expect(connection.isClosed)
        #expect(server.requests.map(\.words) == [["GET", "a"]])
    }

    @Test("the end of a connection tells each request whether its outcome is known") func lost() async throws {
        let server = try await ScriptedServer { $0.words[1] == "b" ? .hangUp : .keepSilent }
        let connection = try await RESPConnection.connect(to: server.address)
        async let first = result(connection, "GET", "a")
        await server.received(1)
        async let second = result(connection, "GET", "b")
        for failure in [await first.failure, await second.failure] {
            #expect(failure?.kind == .closed && failure?.bytesLeft == true)
        }
        let later = try #require(await result(connection, "GET", "c").failure)
        #expect(!later.bytesLeft)
    }

    @Test(
        "what is no reply, or nobody's, ends the connection",
        arguments: [("?what\r\n", RESPConnectionError.Kind.malformed), ("$1\r\na\r\n:1\r\n", .closed)])
    func nonsense(said: String, kind: RESPConnectionError.Kind) async throws {
        let server = try await ScriptedServer { _ in .say(said) }
        let connection = try await RESPConnection.connect(to: server.address)
        _ = await result(connection, "GET", "a")
        let failure = try #require(await result(connection, "GET", "b").failure)
        #expect(failure.kind == kind)
        #expect(connection.isClosed)
    }

    @Test("a refused handshake is told, and nothing else was sent") func handshake() async throws {
        let server = try await ScriptedServer { _ in .say("-WRONGPASS no\r\n") }
        let error = await #expect(throws: RESPConnectionError.self) {
            _ = try await RESPConnection.connect(
                to: server.address, options: ConnectionOptions(credentials: bytes("secret")))
        }
        #expect(error?.kind == .handshake(ServerError(code: "WRONGPASS", message: "no")))
        #expect(server.requests.map(\.words) == [["AUTH", "secret"]])
    }
}

extension Result {
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
