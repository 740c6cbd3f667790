import ClusterClient
import ClusterModel

/// The way of every changing verb: show the plan, ask, do.
struct Change {
    let meta: MetaClient
    let globals: GlobalOptions

    /// Plans and, when agreed, does a change.
    ///
    /// - Parameter request: makes the request, to plan (true) or to do (false).
    /// - Returns: the answer; nil when only the plan was wanted, which was written then.
    func carryOut(_ request: (_ plan: Bool) -> AdminRequest) async throws -> AdminAnswer? {
        let plan = try await ask(meta, request(true))
        if globals.plan {
            if globals.isJSON {
                try JSONOutput.write(PlanDocument(plan))
            } else {
                print("plan: \(PlanDocument.text(plan))")
            }
            return nil
        }
        Terminal.complain("plan: \(PlanDocument.text(plan))")
        try confirm()
        return try await ask(meta, request(false))
    }

    private func confirm() throws(CommandFailure) {
        if globals.yes { return }
        guard Terminal.canAsk else {
            throw CommandFailure(.refused, "refused: no terminal to ask on; give --yes to do it, --plan to only look")
        }
        Terminal.complain("Proceed? [y/N] ", terminator: "")
        let answer = readLine()?.lowercased() ?? ""
        guard answer == "y" || answer == "yes" else {
            throw CommandFailure(.refused, "not confirmed: nothing was changed")
        }
    }
}

/// Sends an operator's request; a failure is the verb's.
func ask(_ meta: MetaClient, _ request: AdminRequest) async throws(CommandFailure) -> AdminAnswer {
    do {
        let answer = try await meta.admin(request)
        if case .failed(let code, let message) = answer { throw CommandFailure(code: code, message) }
        return answer
    } catch let error as MetaClientError {
        throw CommandFailure(error)
    } catch let failure as CommandFailure {
        throw failure
    } catch {
        throw CommandFailure(.failed, "\(error)")
    }
}

/// An answer of another kind than the request's.
func unexpected(_ what: String) -> CommandFailure {
    CommandFailure(.failed, "metasrv answered \(what) with something else: are programs of one version running?")
}

/// What `--plan` writes as JSON.
struct PlanDocument: Encodable {
    let plan = true
    var routeVersion: RouteVersion?
    var summary: String
    var keyspace: KeyspaceInfo?
    var shards: [ShardInfo]?

    private enum CodingKeys: String, CodingKey { case plan, routeVersion, summary, keyspace, shards }

    init(_ answer: AdminAnswer) {
        summary = PlanDocument.text(answer)
        switch answer {
        case .done(let version, _): routeVersion = version
        case .keyspaceCreated(let version, let keyspace, let shards):
            routeVersion = version
            self.keyspace = keyspace
            self.shards = shards
        default: break
        }
    }

    /// The plan on one line.
    static func text(_ answer: AdminAnswer) -> String {
        switch answer {
        case .done(_, let summary): return summary
        case .keyspaceCreated(_, let keyspace, let shards):
            var perNode: [NodeID: Int] = [:]
            for shard in shards {
                for node in shard.members { perNode[node, default: 0] += 1 }
            }
            let spread = perNode.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            return """
                create keyspace '\(keyspace.name)': scheme \(keyspace.scheme.rawValue), \(shards.count) shards, \
                replicas \(keyspace.replicas), flow \(keyspace.flow.rawValue), ack \(keyspace.ack.rawValue), \
                min-in-sync \(keyspace.minInSync), read \(keyspace.read.rawValue); copies per node: \(spread)
                """
        default: return "nothing"
        }
    }
}
