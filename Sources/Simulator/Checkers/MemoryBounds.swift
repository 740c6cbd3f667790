import ClusterModel
import DataCore

/// What a data node may hold for others that are slow or gone, looked at after each of its turns (RULES I19).
final class MemoryBounds {
    private unowned let world: World
    /// Bytes of a turn's commands, of beats and of forwarded commands: what comes in pieces that nothing divides.
    private let piece: Int

    init(world: World) {
        self.world = world
        piece = world.settings.mostPerTurn
    }

    func look(at process: DataProcess) {
        // Its own stores, those of a secondary, and what each primary may have that is not committed yet.
        let backlog = (2 + world.nodes.count) * (world.settings.backlogBytes + piece)
        if process.backlogBytes > backlog {
            violate("\(process.machine.id) keeps \(process.backlogBytes) bytes for its stores, more than \(backlog)")
        }
        let way = world.settings.wayBytes + 4 * piece
        if process.mostOnAWay > way {
            violate("\(process.mostOnAWay) bytes wait for a way from \(process.machine.id), more than \(way)")
        }
    }

    private func violate(_ text: String) { world.violate(.invariant, "I19: \(text)") }
}
