public import ClusterModel

/// Values by id, kept in the order of their ids: iteration is the same on every metasrv.
public struct SortedTable<Value: Identifiable & Hashable & Codable & Sendable>: Hashable, Sendable
where Value.ID: Comparable {
    /// In the order of their ids.
    public private(set) var values: [Value] = []

    public init() {}

    public var count: Int { values.count }

    /// Where `id` is or would be put.
    private func place(of id: Value.ID) -> Int {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if values[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The value of an id; set nil to take it out.
    public subscript(id: Value.ID) -> Value? {
        get {
            let place = place(of: id)
            return place < values.count && values[place].id == id ? values[place] : nil
        }
        set {
            let place = place(of: id)
            let isHeld = place < values.count && values[place].id == id
            if let newValue {
                if isHeld { values[place] = newValue } else { values.insert(newValue, at: place) }
            } else if isHeld {
                values.remove(at: place)
            }
        }
    }
}

extension SortedTable: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self.init()
        for value in try container.decode([Value].self) { self[value.id] = value }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }
}

/// An entry of the map and the route version of its last change.
public struct Versioned<Value: Identifiable & Hashable & Codable & Sendable>: Hashable, Codable, Sendable, Identifiable
where Value.ID: Comparable & Sendable {
    public var value: Value
    public var version: RouteVersion
    public var id: Value.ID { value.id }

    public init(_ value: Value, version: RouteVersion) {
        self.value = value
        self.version = version
    }
}
