public import ClusterModel

/// Why a request on a `RESPConnection` got no reply.
public struct RESPConnectionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Kind: Hashable, Sendable {
        /// No connection came about in time.
        case unreachable
        /// The server refused AUTH, HELLO or SELECT when the connection began.
        case handshake(ServerError)
        /// The connection ended.
        case closed
        /// No reply before the request's deadline.
        case timedOut
        /// The server sent bytes that are no reply; the connection was closed.
        case malformed
        /// More bytes wait to be written than the connection may hold.
        case overloaded
    }

    public var kind: Kind
    public var address: Address
    /// Whether bytes of the request may have reached the server. False promises that it was not executed; true says that
    /// its outcome is unknown (RULES G1, G2).
    public var bytesLeft: Bool
    public var detail: String

    public init(_ kind: Kind, address: Address, bytesLeft: Bool, detail: String) {
        self.kind = kind
        self.address = address
        self.bytesLeft = bytesLeft
        self.detail = detail
    }

    public var description: String { "\(address): \(detail)" }
}
