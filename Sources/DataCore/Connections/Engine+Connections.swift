import ClusterModel

/// Who opened a connection.
public struct Peer: Sendable {
    /// `host:port` of the client.
    public var address: String
    /// `host:port` it connected to.
    public var local: String

    public init(address: String, local: String) {
        self.address = address
        self.local = local
    }
}

extension Engine {
    /// A new client connection; nil when `maxClients` are there.
    mutating func open(_ port: PortKind, _ peer: Peer) -> ConnectionID? {
        guard clients < settings.maxClients else {
            stats.rejectedConnections += 1
            return nil
        }
        let place = take(.client(port))
        clients += 1
        stats.connections += 1
        connections[place].isAuthenticated = settings.password == nil
        connections[place].client.id = nextClientID
        nextClientID += 1
        connections[place].client.address = peer.address
        connections[place].client.local = peer.local
        connections[place].client.opened = now.wall
        connections[place].client.lastCommand = now.wall
        return id(place)
    }

    /// A place for a connection or a session.
    mutating func take(_ kind: Connection.Kind) -> Int {
        let place: Int
        if let free = freeConnections.popLast() {
            place = free
        } else {
            place = connections.count
            connections.append(Connection())
        }
        connections[place].isOpen = true
        connections[place].kind = kind
        return place
    }

    /// The connection is gone: what it has not been answered is dropped; writes that were logged stay.
    mutating func close(_ place: Int) {
        guard connections[place].isOpen else { return }
        unwatch(place)
        abandonForwards(of: place)
        if case .client = connections[place].kind { clients -= 1 }
        let use = connections[place].use &+ 1
        // Lists that name the place are left as they are: they look at `isOpen`, marks and blocks before they act.
        let isWaiting = connections[place].isWaiting
        let isDirty = connections[place].isDirty
        connections[place] = Connection()
        connections[place].use = use
        connections[place].isWaiting = isWaiting
        connections[place].isDirty = isDirty
        parked.removeAll { $0 == place }
        freeConnections.append(place)
    }

    @inline(__always)
    func id(_ place: Int) -> ConnectionID {
        ConnectionID(place: UInt32(truncatingIfNeeded: place), use: connections[place].use)
    }

    /// The place of a connection that is still open.
    @inline(__always)
    func place(_ id: ConnectionID) -> Int? {
        let place = Int(id.place)
        guard place < connections.count, connections[place].use == id.use, connections[place].isOpen else { return nil }
        return place
    }
}
