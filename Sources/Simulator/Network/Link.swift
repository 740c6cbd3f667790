import ClusterModel

/// One end of a connection. What it is told comes at the world's time; a process that is paused takes it later.
protocol Endpoint: AnyObject {
    /// The machine it runs on, for the network.
    var host: Int { get }
    /// The connection this end dialled is there.
    func opened(_ link: Link)
    func received(_ bytes: [UInt8], on link: Link)
    /// The connection is gone: refused, reset, or closed by the other end.
    func closed(_ link: Link)
}

/// One connection as TCP gives it: two lanes of bytes, each in order; what the network cannot deliver now waits, and a
/// machine that vanished says nothing.
final class Link {
    enum Side: Int {
        case dialler = 0
        case acceptor = 1
        var other: Side { self == .dialler ? .acceptor : .dialler }
    }

    enum Packet {
        case open
        case accepted
        case bytes([UInt8])
        /// The sender's end is closed.
        case end
    }

    /// What travels one way.
    struct Lane {
        var packets: [(arrival: UInt64, packet: Packet)] = []
        /// Packets before this index are delivered.
        var head = 0
        var lastArrival: UInt64 = 0
        /// The first packet could not be delivered when its time came.
        var isStalled = false
    }

    let number: UInt64
    /// What was dialled.
    let address: Address
    let hosts: [Int]
    private(set) var ends: [(any Endpoint)?]
    var lanes = [Lane(), Lane()]
    /// Bytes each side sent that the other's process has not taken: with a paused one they wait.
    var untaken = [0, 0]
    /// Whether the dialler knows that it is connected.
    var isOpen = false

    init(number: UInt64, address: Address, dialler: any Endpoint, target: Int) {
        self.number = number
        self.address = address
        hosts = [dialler.host, target]
        ends = [dialler, nil]
    }

    func end(_ side: Side) -> (any Endpoint)? { ends[side.rawValue] }
    func setEnd(_ side: Side, _ end: (any Endpoint)?) { ends[side.rawValue] = end }

    /// The side whose end this is.
    func side(of end: any Endpoint) -> Side? {
        if ends[0] === end { return .dialler }
        return ends[1] === end ? .acceptor : nil
    }

    var isDead: Bool { ends[0] == nil && ends[1] == nil }
}
