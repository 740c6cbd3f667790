import ClusterModel

extension Engine {
    mutating func runString(_ id: CommandID, _ call: inout Call) {}
    mutating func runBit(_ id: CommandID, _ call: inout Call) {}
    mutating func runKey(_ id: CommandID, _ call: inout Call) {}
    mutating func runOwn(_ id: CommandID, _ call: inout Call) {}
    mutating func queueInTransaction(_ call: inout Call, _ spec: CommandSpec) -> Attempt { .done }
    mutating func dirtyWatchers(keyspace: UInt32, key: ByteView) {}
    mutating func dirtyWatchers(replica: Int) {}
    mutating func unwatch(_ place: Int) {}
}
extension Engine { mutating func runForwardedTransaction(_ call: inout Call) -> Attempt { .done } }
