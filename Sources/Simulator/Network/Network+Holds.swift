import ClusterModel

/// A rule on packets between machines: they wait on their way, or break their connection.
struct Hold {
    /// nil = any machine.
    var from: Int?
    var to: Int?
    /// The message that the packet must have; `any` = whatever it has.
    var message: String
    var isLost: Bool
    /// Lanes whose first packet it stopped.
    var stopped: [(Link, Link.Side)] = []
}

// What a scenario does to single packets. TCP keeps the order of a connection: what is behind a held packet waits with it.
extension Network {
    func hold(_ hold: Hold) { holds.append(hold) }

    /// Whether a rule stopped a packet between the machines.
    func hasStopped(_ from: Int?, _ to: Int?) -> Bool {
        holds.contains { $0.from == from && $0.to == to && !$0.stopped.isEmpty }
    }

    /// Ends the rules for a way; what they stopped goes on.
    func endHolds(_ from: Int?, _ to: Int?) {
        let ended = holds.filter { $0.from == from && $0.to == to }
        holds.removeAll { $0.from == from && $0.to == to }
        for hold in ended { for (link, side) in hold.stopped { resume(link, side) } }
    }

    func endAllHolds() {
        let ended = holds
        holds = []
        for hold in ended { for (link, side) in hold.stopped { resume(link, side) } }
    }

    /// Whether a packet is stopped by a rule when its time has come.
    func isStopped(_ packet: Link.Packet, _ link: Link, _ side: Link.Side) -> Bool {
        guard !holds.isEmpty, case .bytes(let bytes) = packet else { return false }
        let (from, to) = (link.hosts[side.rawValue], link.hosts[side.other.rawValue])
        let messages = PacketKinds.names(bytes, port: link.address.port, isToPort: side == .dialler)
        let found = holds.firstIndex { hold in
            (hold.from ?? from) == from && (hold.to ?? to) == to
                && (hold.message == "any" || messages.contains(hold.message))
        }
        guard let found else { return false }
        if holds[found].isLost {
            holds.remove(at: found)
            reset(link, at: now)
        } else {
            link.lanes[side.rawValue].isStalled = true
            holds[found].stopped.append((link, side))
        }
        return true
    }
}
