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
        let plan = try PlanDocument(await ask(meta, request(true)))
        if globals.plan {
            if globals.isJSON { try JSONOutput.write(plan) } else { print("plan: \(plan.summary)") }
            return nil
        }
        Terminal.complain("plan: \(plan.summary)")
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
    /// The version of the map that it was made on.
    let routeVersion: RouteVersion
    /// What would be done, on one line.
    let summary: String

    private enum CodingKeys: String, CodingKey { case plan, routeVersion, summary }

    init(_ answer: AdminAnswer) throws(CommandFailure) {
        guard case .done(let version, let summary) = answer else { throw unexpected("a plan") }
        routeVersion = version
        self.summary = summary
    }
}
