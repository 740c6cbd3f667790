internal import ClusterModel
internal import Wire

/// What a try of a routed request means.
enum Verdict: Sendable {
    case done(Result<RESPValue, ClusterClientError>)
    /// Not executed (or a read): try again, as `Again` says.
    case again(Again, reason: String)

    /// What comes before the next try; those further down ask for more.
    enum Again: Int, Sendable {
        /// The map has moved on since the try: follow it at once.
        case redirected
        /// The node is not ready, or behind the map: give it time.
        case wait
        /// It was shed: give the node time, and not without end.
        case shed
        /// The map is suspect: ask the metadata group, and give it time.
        case refresh
        /// No answer came back to a read: the map is suspect, and so is the read if that goes on.
        case lost

        /// Whether the metadata group is asked for the map before the next try.
        var isMapSuspect: Bool { self == .refresh || self == .lost }
        /// Whether only a few such tries are made, however much time is left.
        var isFailure: Bool { self == .shed || self == .lost }
    }

    /// Judges a reply or its absence, taking a hint into the map by the way.
    static func of(_ result: ReplyResult, stamp: Stamp, isRead: Bool, routes: RouteCache) -> Verdict {
        switch result {
        case .success(let value):
            guard let line = value.errorLine else { return .done(.success(value)) }
            return of(ServerError(line: line), stamp: stamp, routes: routes)
        case .failure(let error): return of(error, isRead: isRead)
        }
    }

    /// Judges what a gateway says to a read: it follows the map itself.
    static func ofGateway(_ result: ReplyResult) -> Verdict {
        switch result {
        case .success(let value):
            guard let line = value.errorLine else { return .done(.success(value)) }
            let error = ServerError(line: line)
            switch error.code {
            case "TRYAGAIN", "LOADING": return .again(.wait, reason: "a gateway answers \(error)")
            case "OVERLOADED": return .again(.shed, reason: "a gateway answers \(error)")
            case "UNCERTAIN": return .done(.failure(.uncertain(error.message)))
            default: return .done(.failure(.server(error)))
            }
        case .failure(let error): return of(error, isRead: true)
        }
    }

    private static func of(_ error: ServerError, stamp: Stamp, routes: RouteCache) -> Verdict {
        let reason = "the node of shard \(stamp.shard) answers \(error.code)"
        switch error.code {
        case "STALE":
            guard let stale = StaleReply(error.message) else { return .again(.refresh, reason: reason) }
            if let hint = stale.configuration, hint.epoch > stamp.epoch { routes.correct(hint) }
            if routes.isNewer(than: stamp) { return .again(.redirected, reason: reason) }
            // A node with an older epoch has not heard of the newest yet; any other knows what this client does not.
            return .again(stale.epoch > stamp.epoch ? .refresh : .wait, reason: reason)
        case "MOVED", "ASK":
            return .again(routes.isNewer(than: stamp) ? .redirected : .refresh, reason: reason)
        case "TRYAGAIN", "LOADING", "CLUSTERDOWN":
            return .again(routes.isNewer(than: stamp) ? .redirected : .wait, reason: "\(reason) \(error.message)")
        case "OVERLOADED": return .again(.shed, reason: "\(reason) \(error.message)")
        case "UNCERTAIN": return .done(.failure(.uncertain(error.message)))
        default: return .done(.failure(.server(error)))
        }
    }

    private static func of(_ error: RESPConnectionError, isRead: Bool) -> Verdict {
        if case .handshake(let refusal) = error.kind, !refusal.mayPass {
            return .done(.failure(.server(refusal)))
        }
        guard error.bytesLeft else {
            return .again(error.kind == .overloaded ? .shed : .refresh, reason: error.description)
        }
        guard isRead else { return .done(.failure(.uncertain(error.description))) }
        if error.kind == .timedOut { return .done(.failure(.timedOut(error.description))) }
        return .again(.lost, reason: error.description)
    }
}

extension ServerError {
    /// Whether a refused handshake may succeed later: the server was full or not ready, the credentials not wrong.
    var mayPass: Bool {
        switch code {
        case "ERR": message.hasPrefix("max number of clients")
        case "TRYAGAIN", "LOADING", "OVERLOADED": true
        default: false
        }
    }
}
