import ClusterModel
public import DataCore
public import Wire

/// One client connection to a data node: commands out, replies in.
public final class ClientConnection: Endpoint {
    private unowned let world: World
    let host: Int
    private var link: Link?
    private var parser = ReplyParser()
    private var replies: [RESPValue] = []
    private var unsent: [UInt8] = []
    /// Whether it was refused or broke.
    public private(set) var isClosed = false
    private var isOpen = false
    /// Gets each reply instead of `reply()`; none any more once the client has closed the connection.
    var received: ((RESPValue) -> Void)?
    /// Told when the other end is gone.
    var ended: (() -> Void)?

    /// Connects from a machine of that name. What is sent before the connection is there waits.
    init(world: World, from name: String, to address: Address) {
        self.world = world
        host = world.addClientHost(name)
        link = world.network.dial(address, from: self, to: world.host(of: address))
    }

    /// Sends commands, one after another, in one piece.
    public func send(_ commands: [[[UInt8]]]) {
        var buffer = ByteBuffer()
        for command in commands { RESPRequestWriter.command(command, into: &buffer) }
        guard isOpen, let link else {
            unsent += buffer.view.array
            return
        }
        world.network.send(buffer.view.array, on: link, from: self, at: world.now)
    }

    public func send(_ commands: [[String]]) { send(commands.map { $0.map { Array($0.utf8) } }) }

    /// Takes the next reply, if it is there.
    public func reply() -> RESPValue? { replies.isEmpty ? nil : replies.removeFirst() }

    public func close() {
        isClosed = true
        guard let link else { return }
        self.link = nil
        world.network.close(link, from: self, at: world.now)
    }

    func opened(_ link: Link) {
        guard link === self.link else { return }
        isOpen = true
        if !unsent.isEmpty { world.network.send(unsent, on: link, from: self, at: world.now) }
        unsent = []
    }

    func closed(_ link: Link) {
        guard link === self.link else { return }
        isClosed = true
        self.link = nil
        ended?()
    }

    func received(_ bytes: [UInt8], on link: Link) {
        guard link === self.link else { return }
        world.trace.note(world.now, 30, bytes.checksum, "a client takes \(bytes.count) bytes of link \(link.number)")
        parser.append(bytes)
        do {
            while !isClosed, let value = try parser.next() {
                if let received { received(value) } else { replies.append(value) }
            }
        } catch {
            world.violate(.malformed, "a data node's reply: \(error)")
        }
    }
}

extension World {
    /// Connects to a node's port.
    public func connect(_ node: Int, _ port: PortKind = .gateway, from name: String = "client") -> ClientConnection {
        ClientConnection(world: self, from: name, to: nodes[node].address(port))
    }

    /// Runs until the next reply is there; nil when the connection breaks or none comes within so long (ns).
    public func wait(_ connection: ClientConnection, for limit: UInt64 = 20_000_000_000) -> RESPValue? {
        var reply: RESPValue?
        _ = run(for: limit) {
            reply = reply ?? connection.reply()
            return reply != nil || connection.isClosed
        }
        return reply
    }

    public func call(_ connection: ClientConnection, _ words: String...) -> RESPValue? {
        connection.send([words])
        return wait(connection)
    }
}
