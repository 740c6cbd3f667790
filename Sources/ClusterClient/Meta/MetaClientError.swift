public import ClusterModel

/// Why the metadata group did not do what was asked.
public enum MetaClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// None of the addresses answered.
    case unreachable(tried: [Address], reason: String)
    /// Some answered, none as primary.
    case noPrimary(tried: [Address], reason: String)
    /// The primary refused the request; nothing was changed.
    case refused(ServerError)
    /// The request may or may not have been done: the connection was lost after bytes of it left.
    case uncertain(Address, reason: String)
    /// The answer is not what the request asks for.
    case malformed(String)

    public var description: String {
        switch self {
        case .unreachable(let tried, let reason):
            "no metasrv reachable at \(MetaClientError.list(tried)): \(reason)"
        case .noPrimary(let tried, let reason):
            "no metasrv is primary among \(MetaClientError.list(tried)): \(reason)"
        case .refused(let error): error.description
        case .uncertain(let address, let reason):
            "outcome unknown: \(address) was lost after the request left (\(reason)); look before you try again"
        case .malformed(let what): "malformed answer from metasrv: \(what)"
        }
    }

    private static func list(_ addresses: [Address]) -> String {
        addresses.isEmpty ? "(no address given)" : addresses.map(\.description).joined(separator: ", ")
    }
}
