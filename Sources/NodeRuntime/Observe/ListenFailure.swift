internal import ClusterModel
internal import NIOCore

/// Why NIO could not listen on an address, in one line that says what to do.
struct ListenFailure: Error, CustomStringConvertible {
    let description: String

    init(_ flag: String, _ address: Address, _ error: any Error) {
        let why =
            if let failure = error as? IOError { SocketError.text(failure.errnoCode) } else { "\(error)" }
        description =
            "cannot listen on \(flag) \(address): \(why); give an address of this machine and a port that nobody uses"
    }
}
