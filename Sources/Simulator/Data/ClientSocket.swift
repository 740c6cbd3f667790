import ClusterModel
import DataCore
import Wire

/// A client's connection as the reactor of a data node sees it.
final class ClientSocket {
    let link: Link
    let id: ConnectionID
    private var parser = RequestParser()
    /// Bytes that are no complete command yet, or that wait because the core takes no more now.
    private var input: [UInt8] = []
    /// What is parsed; the views in the batch point into it until the core has run.
    private var parsed: [UInt8] = []
    private var consumed = 0
    /// Not read now: the core said so.
    var isPaused = false
    /// To be closed behind the replies of this turn.
    var isClosing = false
    /// It may hold complete commands that no packet will announce.
    private(set) var hasLeftover = false

    /// Commands taken in one turn.
    private let commandsPerTurn: Int

    init(link: Link, id: ConnectionID, commandsPerTurn: Int) {
        self.link = link
        self.commandsPerTurn = commandsPerTurn
        self.id = id
    }

    func append(_ bytes: [UInt8]) { input += bytes }

    /// Several packets of one turn are parsed once.
    var isReadable: Bool { !isPaused && !isClosing && !input.isEmpty && parsed.isEmpty }

    /// Parses what it holds into the batch. Gives an error for bytes that are no request.
    func parse(into batch: CommandBatch) -> ProtocolError? {
        parsed = input
        let result = parsed.withByteView { parser.parse($0, connection: id, into: batch, limit: commandsPerTurn) }
        consumed = result.consumed
        hasLeftover = result.isLimited
        return result.error
    }

    /// The core has run: what it took can go.
    func dropConsumed() {
        parsed = []
        if consumed > 0 { input.removeFirst(consumed) }
        consumed = 0
    }
}
