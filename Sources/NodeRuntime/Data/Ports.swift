internal import ClusterModel

/// The three data ports, bound before anything else, so that a port in use is told at once. They take connections when the
/// node can answer: a start that has a long log to read is refused meanwhile, and nobody waits for it who has another way.
struct Ports {
    let cluster: Int32
    let gateway: Int32
    let peer: Int32
    /// As others reach them.
    let address: Address
    let gatewayAddress: Address
    let peerAddress: Address

    init(_ settings: DataHostSettings) throws(SocketError) {
        cluster = try Socket.bound(to: settings.listen)
        gateway = try Socket.bound(to: settings.gateway)
        peer = try Socket.bound(to: settings.peer)
        address = Self.reachable(settings.announce, settings.listen, cluster)
        gatewayAddress = Self.reachable(settings.announceGateway, settings.gateway, gateway)
        peerAddress = Self.reachable(settings.announcePeer, settings.peer, peer)
    }

    /// From here on they take connections.
    func listen() throws(SocketError) {
        for port in [cluster, gateway, peer] { try Socket.listen(port) }
    }

    private static func reachable(_ announced: Address?, _ wanted: Address, _ descriptor: Int32) -> Address {
        if let announced { return announced }
        return Address(host: wanted.host, port: Socket.localAddress(descriptor).port)
    }
}
