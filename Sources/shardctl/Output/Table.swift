/// How a word is shown on a terminal that takes colour.
enum Style: String {
    case plain = ""
    case bold = "1"
    case good = "32"
    case warning = "33"
    case bad = "31"
}

/// A table of text in columns, two spaces apart; no line ends with a space.
struct Table {
    struct Column {
        let title: String
        let isRight: Bool

        static func left(_ title: String) -> Column { Column(title: title, isRight: false) }
        static func right(_ title: String) -> Column { Column(title: title, isRight: true) }
    }

    struct Cell: ExpressibleByStringInterpolation {
        let text: String
        let style: Style

        init(_ text: String, _ style: Style = .plain) {
            self.text = text
            self.style = style
        }

        init(stringLiteral value: String) { self.init(value) }
    }

    let columns: [Column]
    private(set) var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row; cells that are missing are empty, surplus ones are dropped.
    mutating func add(_ cells: [Cell]) {
        let surplus = columns.count - cells.count
        rows.append(
            surplus > 0 ? cells + Array(repeating: Cell(""), count: surplus) : Array(cells.prefix(columns.count)))
    }

    func render(colour: Bool) -> String {
        let titles = columns.map { Cell($0.title, .bold) }
        let lines = columns.contains { !$0.title.isEmpty } ? [titles] + rows : rows
        let widths = columns.indices.map { column in lines.map { $0[column].text.count }.max() ?? 0 }
        return lines.map { cells in
            var line = ""
            var pending = 0
            for (index, cell) in cells.enumerated() {
                let padding = widths[index] - cell.text.count
                if index > 0 { pending += 2 }
                if columns[index].isRight { pending += padding }
                if !cell.text.isEmpty {
                    line += String(repeating: " ", count: pending) + Table.paint(cell, colour: colour)
                    pending = 0
                }
                if !columns[index].isRight { pending += padding }
            }
            return line + "\n"
        }.joined()
    }

    func show() { print(render(colour: Terminal.takesColour), terminator: "") }

    private static func paint(_ cell: Cell, colour: Bool) -> String {
        guard colour, cell.style != .plain else { return cell.text }
        return "\u{1B}[\(cell.style.rawValue)m\(cell.text)\u{1B}[0m"
    }
}

extension Table {
    /// Names and values below each other.
    static func facts(_ facts: [(String, Cell)]) -> Table {
        var table = Table([.left(""), .left("")])
        for (name, value) in facts { table.add([Cell(name), value]) }
        return table
    }
}
