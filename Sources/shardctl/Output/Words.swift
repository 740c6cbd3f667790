import ClusterModel

/// How values of the model read in tables.
enum Words {
    static func list(_ items: [some CustomStringConvertible]) -> String {
        items.isEmpty ? "-" : items.map(\.description).joined(separator: ",")
    }

    /// Bytes with a binary unit, one digit behind the point.
    static func bytes(_ count: UInt64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        guard count >= 1024 else { return "\(count) B" }
        var value = Double(count) / 1024
        var unit = 0
        while value >= 1023.95, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    static func range(of shard: ShardInfo) -> String {
        if let values = shard.values { return values.isEmpty ? "(all other values)" : list(values) }
        return "[\(bound(shard.from)), \(bound(shard.to)))"
    }

    private static func bound(_ bound: ShardBound) -> String {
        switch bound {
        case .slot(let number): "\(number)"
        case .key(let key): "\"\(key)\""
        case .unbounded: "*"
        }
    }

    static func range(_ range: ShardRange) -> String {
        switch range {
        case .slots(let from, let to): "[\(from), \(to))"
        case .keys(let from, let to):
            "[\(from.map { "\"\($0)\"" } ?? "*"), \(to.map { "\"\($0)\"" } ?? "*"))"
        case .values(let values, let isDefault): isDefault ? "(all other values)" : list(values)
        }
    }

    static func weight(_ weight: Double) -> String {
        weight == weight.rounded() && weight.magnitude < 1e15 ? "\(Int(weight))" : "\(weight)"
    }

    static func state(_ state: ServiceState) -> Table.Cell {
        switch state {
        case .serving: Table.Cell("serving", .good)
        case .degraded: Table.Cell("degraded", .warning)
        case .down: Table.Cell("down", .bad)
        }
    }

    static func state(_ node: NodeInfo) -> Table.Cell {
        let note = node.maintenance ? " (maintenance)" : ""
        switch node.state {
        case .up: return Table.Cell("up" + note, node.maintenance ? .warning : .good)
        case .draining: return Table.Cell("draining", .warning)
        case .down: return Table.Cell("down" + note, .bad)
        case .removed: return Table.Cell("removed")
        }
    }

    static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }
}
