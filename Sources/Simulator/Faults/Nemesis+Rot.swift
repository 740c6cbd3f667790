import ClusterModel
import DataCore

// Bytes on a disk go bad: of one node, and only while all other copies of what it holds are whole. More than that no number
// of copies survives, and no node gives up what may be the last copy.
extension Nemesis {
    private static let second: UInt64 = 1_000_000_000

    func beginRot() {
        `repeat`(.rot, every: 5 * Self.second...30 * Self.second) { [self] chance in
            let node = chance.pick(world.nodes)
            guard areCopiesWhole, canBeSpared(node.id) else { return }
            let byPower = chance.oneIn(2)
            node.stop(byPower: byPower)
            // A node that knows of no other copy does not start: the map may be ahead of its log.
            let place = node.disk.log.rot(&chance) { control in
                control.configuration.withByteView { ShardConfiguration(decoding: $0) }?.hasOthers(than: node.id)
                    ?? true
            }
            if let place {
                world.trace.note(world.now, 68, UInt64(node.host), "a bit of \(node.id)'s log goes bad at \(place)")
            }
            later(chance.scaled(20_000_000, 5 * Self.second)) { byPower ? node.powerUp() : node.start() }
        }
    }

    /// Whether every shard has several copies, and each of them is where the map says and lacks nothing.
    var areCopiesWhole: Bool {
        world.nodes.allSatisfy { $0.isUp && !$0.disk.isSetBack } && !world.map.hasOutdatedCopies
            && world.map.shards.allSatisfy { shard in
                shard.policy.replicas > 1 && shard.members.count >= shard.policy.replicas
                    && shard.members.allSatisfy { member in
                        world.nodes.contains {
                            $0.id == member.node
                                && $0.disk.holds(StoreID(shard: shard.id, incarnation: member.incarnation))
                                && world.ledger?.lacking(shard.id, member.incarnation, node: $0.index) == nil
                        }
                    }
            }
    }

    /// Whether what is committed can be told without a node: with ack below all enough others must be there to be sealed
    /// for each configuration that may have committed something.
    func canBeSpared(_ node: NodeID) -> Bool {
        world.map.shards.allSatisfy { shard in
            let electorates = shard.electorates
            guard electorates.contains(where: { $0.ack != .all }) else { return true }
            let others = shard.members.filter { $0.node != node }
            return electorates.allSatisfy { $0.isSealed(by: others) }
        }
    }
}
