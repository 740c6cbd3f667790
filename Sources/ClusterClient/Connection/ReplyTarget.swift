internal import NIOCore
internal import Synchronization
internal import Wire

/// What a request on a connection came to.
typealias ReplyResult = Result<RESPValue, RESPConnectionError>

/// Who waits for a reply.
enum ReplyTarget: Sendable {
    case continuation(CheckedContinuation<ReplyResult, Never>)
    /// One of several requests that are awaited together.
    case collected(ReplyCollector, index: Int)
    /// A step of the handshake, which lives on the event loop.
    case promise(EventLoopPromise<RESPValue>)
    /// Nobody any more: its deadline passed. The reply is still counted, since replies come in order.
    case abandoned

    func complete(_ result: ReplyResult) {
        switch self {
        case .continuation(let continuation): continuation.resume(returning: result)
        case .collected(let collector, let index): collector.complete(index, result)
        case .promise(let promise):
            switch result {
            case .success(let value): promise.succeed(value)
            case .failure(let error): promise.fail(error)
            }
        case .abandoned: break
        }
    }

    var isAbandoned: Bool {
        if case .abandoned = self { return true }
        return false
    }
}

/// Gathers the replies of several requests, of one or several connections, for one waiter.
final class ReplyCollector: Sendable {
    private struct State {
        var results: [ReplyResult?]
        var missing: Int
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(results: Array(repeating: nil, count: count), missing: count)) }

    /// Notes a result; a second one for the same place is ignored.
    func complete(_ index: Int, _ result: ReplyResult) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.results[index] == nil else { return nil }
            state.results[index] = result
            state.missing -= 1
            guard state.missing == 0 else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits for all; results in the order of their indices.
    func all() async -> [ReplyResult] {
        await withCheckedContinuation { continuation in
            let isComplete = state.withLock { state -> Bool in
                if state.missing > 0 { state.waiter = continuation }
                return state.missing == 0
            }
            if isComplete { continuation.resume() }
        }
        return state.withLock { $0.results.compactMap { $0 } }
    }
}
