import ClusterModel

// A wall that is far off those of the others, nodes and metasrv, is not believed (`PeerClocks`, RULES A13); whoever runs the
// node is told.
extension Engine {
    /// ms by which this machine's wall is ahead of what is believed here; below 0 it is behind.
    var wallOff: Int64 { ownWall > expiryWall ? ownWall - expiryWall : ownWall - now.wall }

    /// What comes later in the same step goes by it: a grant may be the one that a primary waited for.
    /// - Parameter sent: when left here what the other answers by this, ns.
    mutating func hearWall(_ wall: Int64, from voice: PeerClocks.Voice, sent: UInt64) {
        clocks.hear(wall, from: voice, sent: sent, at: now.monotonic)
        begin(Tick(monotonic: now.monotonic, wall: ownWall))
    }

    mutating func watchWall() {
        clocks.forget(at: now.monotonic)
        let off = wallOff
        guard (off != 0) != wallIsOff else { return }
        wallIsOff = off != 0
        effects.emit(
            off == 0
                ? note(.info, "the wall clock agrees with those of the others again")
                : note(
                    .warning,
                    "the wall clock is more than \((abs(off) + PeerClocks.slack) / 1000) s \(off > 0 ? "ahead of" : "behind") "
                        + "those of the others, nodes and metasrv: deadlines go by theirs. Is the time of this machine "
                        + "synchronized?"
                )
        )
    }
}
