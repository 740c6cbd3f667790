import ClusterModel
import Simulator
import Wire

extension RESPValue {
    /// The reply as RESP2 has it, for tests to compare.
    var text: String {
        switch self {
        case .simpleString(let bytes): "+\(String(decoding: bytes, as: UTF8.self))\r\n"
        case .error(let bytes): "-\(String(decoding: bytes, as: UTF8.self))\r\n"
        case .integer(let number): ":\(number)\r\n"
        case .bulkString(let bytes): "$\(bytes.count)\r\n\(String(decoding: bytes, as: UTF8.self))\r\n"
        case .null: "nil"
        case .array(let items): "*\(items.count)\r\n" + items.map(\.text).joined()
        default: "?"
        }
    }
}

extension World {
    /// A world of three nodes whose keyspace serves.
    static func serving(seed: UInt64, cacheBytes: Int = 1 << 20) -> World? {
        var settings = WorldSettings(seed: seed)
        settings.cacheBytes = cacheBytes
        settings.gatewayTimeoutMillis = 2000
        // Small, so that segments roll and go.
        settings.segmentBytes = 16 << 10
        let world = World(settings)
        return Operator(world).createKeyspace() ? world : nil
    }

    func text(_ connection: ClientConnection, _ words: String...) -> String? {
        connection.send([words])
        return wait(connection)?.text
    }
}
