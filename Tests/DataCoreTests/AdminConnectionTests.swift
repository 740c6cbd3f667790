import ClusterModel
import Testing

@testable import DataCore

@Suite("Connections") struct AdminConnectionTests {
    @Test func helloTellsAndSwitches() {
        let node = AdminNode()
        let client = node.open()
        let id = node.number(of: client)
        func greeting(_ map: String, _ version: Int) -> String {
            "\(map)\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:\(version)\r\n"
                + "$2\r\nid\r\n:\(id)\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
                + "$7\r\nmodules\r\n*0\r\n"
        }
        #expect(node.call(client, ["hello"]) == greeting("*14", 2))
        #expect(node.call(client, ["hello", "3", "setname", "me"]) == greeting("%7", 3))
        #expect(node.call(client, ["client", "getname"]) == "$2\r\nme\r\n")
        #expect(node.call(client, ["memory", "usage", "k"]) == "_\r\n")
        #expect(node.call(client, ["reset"], ["client", "getname"]) == "+RESET\r\n$-1\r\n")
    }

    /// Nothing but what leads to authentication runs before it, and RESET ends it.
    @Test func authentication() {
        let node = AdminNode(password: "secret")
        let client = node.open()
        let refusal = "-NOAUTH Authentication required.\r\n"
        #expect(
            node.call(client, ["ping"], ["memory", "usage", "k"], ["client", "id"]) == refusal + refusal + refusal)
        // As in Redis, words come before rights.
        #expect(node.call(client, ["echo"]) == "-ERR wrong number of arguments for 'echo' command\r\n")
        #expect(node.call(client, ["nosuch"]).hasPrefix("-ERR unknown command 'nosuch'"))
        let wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        for guess in ["", "secre", "secrets", "Secret", "secretsecret"] {
            #expect(node.call(client, ["auth", guess]) == wrong, "\(guess)")
        }
        #expect(node.call(client, ["auth", "root", "secret"]) == wrong)
        #expect(node.call(client, ["hello", "3"]).hasPrefix("-NOAUTH HELLO must be called with the client already"))
        #expect(node.call(client, ["hello", "3", "auth", "default", "bad"]) == wrong)
        #expect(node.call(client, ["hello", "3", "auth", "default", "secret"]).hasPrefix("%7\r\n"))
        #expect(node.call(client, ["ping"]) == "+PONG\r\n")
        #expect(node.call(client, ["reset"], ["ping"]) == "+RESET\r\n" + refusal)
        #expect(node.call(client, ["auth", "secret"], ["ping"]) == "+OK\r\n+PONG\r\n")
    }

    @Test func quitClosesBehindItsReply() {
        let node = AdminNode()
        let client = node.open()
        #expect(node.call(client, ["quit"], ["set", "k", "1"], ["ping"], ["incr", "k"]) == "+OK\r\n")
        #expect(node.call(node.open(), ["get", "k"]) == "$-1\r\n")
        #expect(node.ended == [client])
    }

    @Test func time() {
        let node = AdminNode()
        node.advance(millis: 1234)
        #expect(node.call(node.open(), ["time"]) == "*2\r\n$10\r\n1700000001\r\n$6\r\n234000\r\n")
    }

    // MARK: CLIENT

    @Test func listShowsEveryField() {
        let node = AdminNode()
        let (first, second) = (node.open(), node.open())
        node.call(first, ["client", "setinfo", "lib-name", "py"], ["client", "setinfo", "LIB-VER", "1.2"])
        node.advance(millis: 3500)
        let text = node.call(second, ["client", "list"])
        let lines = text.split(separator: "\n").filter { $0.contains("id=") }
        #expect(lines.count == 2)
        #expect(lines[0].contains(" age=3 idle=3 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf="))
        #expect(lines[0].hasSuffix(" cmd=client|setinfo user=default redir=-1 resp=2 lib-name=py lib-ver=1.2"))
        #expect(lines[1].contains(" cmd=client|list "))
        let id = node.number(of: first)
        #expect(node.call(second, ["client", "list", "id", id]).contains("id=\(id) addr=127.0.0.1:"))
    }

    @Test func killByIdAndOneself() {
        let node = AdminNode()
        let (victim, killer) = (node.open(), node.open())
        let id = node.number(of: victim)
        #expect(node.call(killer, ["client", "kill", "id", id]) == ":1\r\n")
        #expect(node.closed == [victim])
        #expect(!node.call(killer, ["client", "list"]).contains("id=\(id) "))
        #expect(node.call(killer, ["client", "kill", "type", "normal"]) == ":0\r\n")
        #expect(node.call(killer, ["client", "kill", "type", "normal", "skipme", "no"]) == ":1\r\n")
        #expect(node.ended == [killer])
    }

    /// Commands about connections and servers go on; those with keys wait, or with WRITE only writes do.
    @Test func pause() {
        let node = AdminNode()
        let (one, other) = (node.open(), node.open())
        #expect(node.call(one, ["client", "pause", "1000", "write"]) == "+OK\r\n")
        #expect(node.call(other, ["memory", "usage", "k"]) == "$-1\r\n")
        #expect(node.call(one, ["client", "pause", "2000"]) == "+OK\r\n")
        #expect(node.call(other, ["ping"], ["memory", "usage", "k"], ["ping"]) == "+PONG\r\n")
        node.advance(millis: 1999)
        #expect(node.takeReply(other) == "")
        node.advance(millis: 1)
        #expect(node.takeReply(other) == "$-1\r\n+PONG\r\n")
        #expect(node.call(one, ["client", "pause", "9000"]) == "+OK\r\n")
        #expect(node.call(other, ["memory", "usage", "k"]) == "")
        #expect(node.call(one, ["client", "unpause"]) == "+OK\r\n")
        #expect(node.takeReply(other) == "$-1\r\n")
        #expect(node.call(other, ["set", "k", "1"]) == "+OK\r\n")
    }

    // MARK: WAIT

    /// A write that is not committed, and a WAIT for it behind it.
    private func waiting(_ node: AdminNode, millis: String) -> ConnectionID {
        let client = node.open()
        node.isLogQuick = false
        #expect(node.call(client, ["set", "k", "1"], ["wait", "1", millis]) == "")
        return client
    }

    private func isBlocked(_ client: ConnectionID, _ node: AdminNode) -> Bool {
        node.line(of: client).contains(" flags=b ")
    }

    @Test func waitAnswersWhenTheWriteIsCommitted() {
        let node = AdminNode()
        let client = waiting(node, millis: "0")
        #expect(node.call(client, ["ping"]) == "")
        node.advance(millis: 60_000)
        #expect(isBlocked(client, node))
        node.sync()
        #expect(node.takeReply(client) == "+OK\r\n:0\r\n+PONG\r\n")
        #expect(!isBlocked(client, node))
        #expect(node.call(client, ["wait", "1", "0"]) == ":0\r\n")
    }

    @Test func waitEndsWithItsTime() {
        let node = AdminNode()
        let client = waiting(node, millis: "500")
        node.advance(millis: 499)
        #expect(isBlocked(client, node))
        node.advance(millis: 1)
        #expect(!isBlocked(client, node))
        node.sync()
        #expect(node.takeReply(client) == "+OK\r\n:0\r\n")
    }

    @Test(arguments: [("timeout", ":0\r\n"), ("error", "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")])
    func unblock(reason: String, reply: String) {
        let node = AdminNode()
        let client = waiting(node, millis: "0")
        let other = node.open()
        let number = node.number(of: client)
        #expect(node.call(other, ["client", "unblock", number, reason]) == ":1\r\n")
        #expect(!isBlocked(client, node))
        node.sync()
        #expect(node.takeReply(client) == "+OK\r\n" + reply)
        #expect(node.call(other, ["client", "unblock", number]) == ":0\r\n")
    }

    /// Inside EXEC nothing waits, and what another connection queued does not run into the open record.
    @Test func insideExec() {
        let node = AdminNode()
        let waiter = waiting(node, millis: "0")
        #expect(node.call(waiter, ["set", "k", "2"]) == "")
        let client = node.open()
        let queued = "+QUEUED\r\n"
        let number = node.number(of: waiter)
        #expect(
            node.call(
                client, ["multi"], ["set", "c", "1"], ["client", "unblock", number], ["wait", "1", "0"],
                ["set", "c", "2"])
                == "+OK\r\n" + queued + queued + queued + queued)
        #expect(node.call(client, ["exec"]) == "")
        node.sync()
        #expect(node.takeReply(client) == "*4\r\n+OK\r\n:1\r\n:0\r\n+OK\r\n")
        #expect(node.takeReply(waiter) == "+OK\r\n:0\r\n+OK\r\n")
        node.isLogQuick = true
        #expect(node.call(client, ["get", "c"], ["get", "k"]) == "$1\r\n2\r\n$1\r\n2\r\n")
        // A walk over a store cannot be waited for inside EXEC.
        for refused in [["cluster", "countkeysinslot", "1"], ["dbsize"], ["flushall"]] {
            #expect(
                node.call(client, ["multi"], refused, ["exec"])
                    == "+OK\r\n-ERR Command not allowed inside a transaction\r\n"
                    + "-EXECABORT Transaction discarded because of previous errors.\r\n")
        }
    }

    /// A queued SELECT says where the keys behind it are, and a name that is not known is asked for before it is queued.
    @Test func selectInsideMulti() {
        let node = AdminNode()
        let client = node.open()
        #expect(
            node.call(client, ["multi"], ["select", "no such"], ["select", "default"], ["set", "c", "1"], ["exec"])
                == "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
                + "*3\r\n-ERR no such keyspace 'no such'\r\n+OK\r\n+OK\r\n")
        node.call(client, ["multi"])
        #expect(node.call(client, ["select", "unknown"], ["get", "c"]) == "")
        while node.beats.count > 1 { node.answerBeat() }
        node.answerBeat()
        #expect(node.takeReply(client) == "+QUEUED\r\n+QUEUED\r\n")
        #expect(node.call(client, ["exec"]) == "*2\r\n-ERR no such keyspace 'unknown'\r\n$1\r\n1\r\n")
    }

    @Test(arguments: ["client", "command", "cluster", "config", "object", "memory"])
    func help(container: String) {
        let node = AdminNode()
        let text = node.call(node.open(), [container, "HELP"])
        #expect(
            text.contains("+\(container.uppercased()) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"))
        #expect(text.hasSuffix("+HELP\r\n+    Prints this help.\r\n"))
    }

    // MARK: SELECT

    @Test func selectOfAnUnknownNameAsksOnce() {
        let node = AdminNode()
        let client = node.open()
        node.call(client, ["ping"])
        // A beat sent before the question is no answer to it.
        #expect(node.call(client, ["select", "shop"], ["ping"]) == "")
        while node.beats.count > 1 { node.answerBeat() }
        node.answerBeat()
        #expect(node.takeReply(client) == "-ERR no such keyspace 'shop'\r\n+PONG\r\n")
        #expect(node.call(client, ["select", "a b"]) == "-ERR no such keyspace 'a b'\r\n")
        #expect(node.call(client, ["select", "default"], ["select", "0"]) == "+OK\r\n+OK\r\n")
    }

    @Test func selectFindsAKeyspaceThatIsNew() {
        let node = AdminNode()
        let client = node.open()
        #expect(node.call(client, ["select", "shop"]) == "")
        var shop = AdminNode.keyspace
        shop.id = KeyspaceID(rawValue: 2)
        shop.name = "shop"
        node.answerBeat(
            delta: RouteDelta(
                cluster: AdminNode.cluster, since: RouteVersion(rawValue: 1), version: RouteVersion(rawValue: 2),
                keyspaces: [shop]))
        #expect(node.takeReply(client) == "+OK\r\n")
        #expect(node.call(client, ["cluster", "slots"]) == "*0\r\n")
        #expect(node.call(client, ["reset"], ["memory", "usage", "k"]) == "+RESET\r\n$-1\r\n")
    }

    @Test func selectEndsWhenNobodyAnswers() {
        let node = AdminNode()
        let client = node.open()
        #expect(node.call(client, ["select", "shop"]) == "")
        node.advance(millis: 4999)
        #expect(node.takeReply(client) == "")
        node.advance(millis: 1)
        #expect(node.takeReply(client) == "-ERR no such keyspace: no metasrv answered in time\r\n")
    }
}
