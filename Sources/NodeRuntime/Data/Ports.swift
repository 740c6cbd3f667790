internal import ClusterModel

/// The three data ports, bound before anything else, so that a port in use is told at once.
struct Ports {
    let cluster: Int32
    let gateway: Int32
    let peer: Int32
    /// As others reach them.
    let address: Address
    let gatewayAddress: Address
    let peerAddress: Address

    init(_ settings: DataHostSettings) throws(SocketError) {
        cluster = try Socket.listen(settings.listen)
        gateway = try Socket.listen(settings.gateway)
        peer = try Socket.listen(settings.peer)
        address = Self.reachable(settings.announce, settings.listen, cluster)
        gatewayAddress = Self.reachable(settings.announceGateway, settings.gateway, gateway)
        peerAddress = Self.reachable(settings.announcePeer, settings.peer, peer)
    }

    private static func reachable(_ announced: Address?, _ wanted: Address, _ descriptor: Int32) -> Address {
        if let announced { return announced }
        return Address(host: wanted.host, port: Socket.localAddress(descriptor).port)
    }
}
