import Simulator
import Testing

/// Clients that count keys up and read each other's. Each key has one writer, so what a read may give is an interval: from the
/// last value acknowledged before it began to the last one sent before it ended.
final class CounterLoad {
    final class Client {
        let home: Int
        let key: String
        var connection: ClientConnection?
        var acknowledged = 0
        var sent = 0
        var pending: (isWrite: Bool, key: String, least: Int)?
        var writes = 0
        var reads = 0
        var uncertain = 0

        init(home: Int, key: String) {
            self.home = home
            self.key = key
        }
    }

    let world: World
    var chance: Chance
    let clients: [Client]
    private var turn = 0

    init(_ world: World, seed: UInt64, clients count: Int = 9) {
        self.world = world
        chance = Chance(seed: seed, stream: "test")
        clients = (0..<count).map { Client(home: $0 % world.nodes.count, key: "counter:\($0)") }
    }

    var writes: Int { clients.reduce(0) { $0 + $1.writes } }
    var reads: Int { clients.reduce(0) { $0 + $1.reads } }

    /// Lets one client go on.
    func step() throws {
        turn += 1
        let client = clients[turn % clients.count]
        guard let connection = client.connection, !connection.isClosed else {
            // The gateway died with the command: its outcome is unknown.
            guard world.nodes[client.home].isUp else { return }
            client.connection = world.connect(client.home)
            client.pending = nil
            return
        }
        guard let pending = client.pending else { return issue(client, connection) }
        guard let reply = connection.reply()?.text else { return }
        client.pending = nil
        try judge(reply, pending, client)
    }

    /// Runs the world for so long, ns, with the clients at work.
    func run(for time: UInt64) throws {
        let end = world.now + time
        while world.now < end, world.step() { try step() }
    }

    private func issue(_ client: Client, _ connection: ClientConnection) {
        if chance.oneIn(2) {
            client.sent += 1
            client.pending = (true, client.key, 0)
            connection.send([["SET", client.key, "\(client.sent)"]])
        } else {
            let other = chance.pick(clients)
            client.pending = (false, other.key, other.acknowledged)
            connection.send([["GET", other.key]])
        }
    }

    private func judge(_ reply: String, _ pending: (isWrite: Bool, key: String, least: Int), _ client: Client) throws {
        if reply.hasPrefix("-UNCERTAIN") {
            client.uncertain += 1
        } else if reply.hasPrefix("-TRYAGAIN") {
            // Definite: not executed.
        } else if pending.isWrite {
            #expect(reply == "+OK\r\n")
            guard reply == "+OK\r\n" else { return }
            client.acknowledged = client.sent
            client.writes += 1
        } else {
            let owner = try #require(clients.first { $0.key == pending.key })
            let value = reply == "nil" ? 0 : Int(reply.split(separator: "\r\n").last ?? "") ?? -1
            #expect(value >= pending.least, "\(pending.key): \(value) read after \(pending.least) was acknowledged")
            #expect(value <= owner.sent, "\(pending.key): \(value) read, \(owner.sent) was the last one sent")
            client.reads += 1
        }
    }

    /// A run in which little happened proves little.
    func expectWork(_ least: Int) {
        #expect(writes > least, "a vacuous run: too few writes")
        #expect(reads > least, "a vacuous run: too few reads")
    }

    /// Everything is up again: what was acknowledged is there.
    func settle(within time: UInt64 = 8_000_000_000) throws {
        world.run(until: world.now + time)
        for client in clients {
            let connection = world.connect(client.home)
            let reply = try #require(world.text(connection, "GET", client.key), "no reply after healing")
            let value = reply == "nil" ? 0 : Int(reply.split(separator: "\r\n").last ?? "") ?? -1
            #expect(
                value >= client.acknowledged, "\(client.key): acknowledged \(client.acknowledged), found \(reply)")
            #expect(value <= client.sent)
        }
        #expect(world.violations == [])
    }
}
