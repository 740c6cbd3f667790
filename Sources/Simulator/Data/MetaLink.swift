import ClusterModel
import DataCore
import Wire

/// A data node's way to the metadata group, as NodeRuntime's MetaLink: beats go out and their answers come back as inputs of
/// the core, proposals one after another, and once the node is taken in, changes of the map are pushed.
final class MetaLink {
    private unowned let process: DataProcess
    private let caller: MetaCaller
    private let proposer: MetaCaller
    private let watcher: MetaWatcher
    private var proposals: [ReconfigureRequest] = []

    private var world: World { process.world }

    init(process: DataProcess) {
        self.process = process
        let world = process.world
        let addresses = world.metas.map(\.address)
        caller = MetaCaller(world: world, host: process.host, addresses: addresses)
        proposer = MetaCaller(world: world, host: process.host, addresses: addresses)
        watcher = MetaWatcher(world: world, host: process.host, addresses: addresses) { [unowned process] delta in
            process.arrive(.input(.routes(delta)))
        }
    }

    func die(byPower: Bool) {
        caller.die(byPower: byPower)
        proposer.die(byPower: byPower)
        watcher.die(byPower: byPower)
    }

    /// - Parameter sent: handed back with the answer, ns.
    func send(_ beat: Heartbeat, _ sent: UInt64) {
        guard let document = world.documents.encode(beat) else { return process.violate("a beat that does not encode") }
        caller.send([Array("META.HEARTBEAT".utf8), document]) { [weak self] reply in
            guard let self, process.isAlive else { return }
            guard let reply, case .bulkString(let bytes) = reply else { return process.arrive(.input(.beatFailed)) }
            guard let answer = world.documents.decode(HeartbeatAnswer.self, bytes) else {
                return process.violate("the answer to a beat is none")
            }
            process.arrive(.input(.beatAnswered(answer, sent: sent)))
            if answer.refusal == nil { watcher.start() }
        }
    }

    /// What waits here while its replica asks for something else is wanted no longer.
    func send(_ request: ReconfigureRequest) {
        proposals.removeAll { $0.configuration.id == request.configuration.id }
        proposals.append(request)
        proposeNext()
    }

    /// One after another: the caller has one call at a time.
    private func proposeNext() {
        guard !proposer.isBusy, let request = proposals.first else { return }
        proposals.removeFirst()
        world.map.proposed(request)
        guard let document = world.documents.encode(request) else {
            return process.violate("a proposal that does not encode")
        }
        let wished = request.configuration
        proposer.send([Array("META.RECONFIGURE".utf8), document]) { [weak self] reply in
            guard let self, process.isAlive else { return }
            defer { proposeNext() }
            guard let reply, case .bulkString(let bytes) = reply else {
                return process.arrive(.input(.reconfigured(wished.id, wished.proposal, nil)))
            }
            guard let answer = world.documents.decode(ReconfigureAnswer.self, bytes) else {
                return process.violate("the answer to a proposal is none")
            }
            world.map.checkRefusal(request, answer, to: process.machine.id.rawValue)
            process.arrive(.input(.reconfigured(wished.id, wished.proposal, answer)))
        }
    }
}
