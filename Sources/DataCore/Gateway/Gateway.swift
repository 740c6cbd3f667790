import ClusterModel

struct GatewayState {
}
struct Walk {
}
extension Engine {
    mutating func forward(_ call: inout Call, _ spec: CommandSpec, to entry: Int) -> Attempt { .done }
    mutating func runScattered(_ call: inout Call, _ spec: CommandSpec) -> Attempt { .done }
    mutating func runOverKeyspace(_ call: inout Call, _ spec: CommandSpec) -> Attempt { .done }
    mutating func releaseRemote(_ mark: Connection.Mark, _ place: Int) -> Bool { false }
    mutating func answer(link: LinkID, request: UInt64, _ outcome: ForwardOutcome, body: ByteView) {}
    mutating func retryForwards() {}
    mutating func abandonForwards(of place: Int) {}
    mutating func startWalks() {}
    mutating func noteForwarded(_ link: LinkID, _ payload: ByteView) {}
    mutating func noteForwardAnswers(_ node: NodeID, _ payload: ByteView) {}
    mutating func noteLinkOpened(_ link: LinkID, _ node: NodeID) {}
    mutating func noteLinkClosed(_ link: LinkID) {}
    mutating func notePeerLost(_ node: NodeID, nothingSent: Bool) {}
    mutating func noteScanned(_ scan: Scan) {}
    mutating func emitForwards() {}
}
