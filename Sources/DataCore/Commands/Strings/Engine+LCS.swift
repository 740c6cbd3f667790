import ClusterModel

// LCS: the longest common subsequence of two values, as t_string.c of Redis 7.0 finds and shows it.
extension Engine {
    /// Bytes of the table that a comparison may take: it is filled on the reactor's thread.
    private static let lcsBytes = 64 << 20

    private struct LCSOptions {
        var givesLength = false
        var givesIndexes = false
        var givesMatchLength = false
        var leastMatch: Int64 = 0
    }

    mutating func longestCommonSubsequence(_ call: inout Call) {
        var options = LCSOptions()
        var index = 3
        while index < call.count {
            if call[index].equalsIgnoringCase("idx") {
                options.givesIndexes = true
            } else if call[index].equalsIgnoringCase("len") {
                options.givesLength = true
            } else if call[index].equalsIgnoringCase("withmatchlen") {
                options.givesMatchLength = true
            } else if call[index].equalsIgnoringCase("minmatchlen"), index + 1 < call.count {
                guard let least = WholeNumber.parse(call[index + 1]) else {
                    return call.reply.error(WholeNumber.refusal)
                }
                options.leastMatch = max(least, 0)
                index += 1
            } else {
                return call.reply.error("ERR syntax error")
            }
            index += 1
        }
        if options.givesIndexes, options.givesLength {
            return call.reply.error("ERR If you want both the length and indexes, please just use IDX.")
        }
        let left = row(&call, call[1])?.value.array ?? []
        let right = row(&call, call[2])?.value.array ?? []
        guard (left.count + 1).multipliedReportingOverflow(by: (right.count + 1) * 4).partialValue <= Self.lcsBytes
        else {
            return call.reply.error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
        }
        show(call, left, right, table(left, right), options)
    }

    /// Lengths for all pairs of prefixes, row by row.
    private func table(_ left: [UInt8], _ right: [UInt8]) -> [UInt32] {
        let width = right.count + 1
        var table = [UInt32](repeating: 0, count: (left.count + 1) * width)
        for (row, a) in left.enumerated() {
            for (column, b) in right.enumerated() {
                let place = (row + 1) * width + column + 1
                table[place] = a == b ? table[place - width - 1] + 1 : max(table[place - width], table[place - 1])
            }
        }
        return table
    }

    private func show(_ call: Call, _ left: [UInt8], _ right: [UInt8], _ table: [UInt32], _ options: LCSOptions) {
        let width = right.count + 1
        let length = Int(table[left.count * width + right.count])
        if options.givesLength { return call.reply.integer(length) }
        var common: [UInt8] = []
        var matches: [(left: ClosedRange<Int>, right: ClosedRange<Int>)] = []
        var run: (leftEnd: Int, rightEnd: Int, count: Int)?
        var (row, column) = (left.count, right.count)
        func close() {
            guard let ended = run else { return }
            if Int64(ended.count) >= options.leastMatch || options.leastMatch == 0 {
                matches.append(
                    (ended.leftEnd - ended.count + 1...ended.leftEnd, ended.rightEnd - ended.count + 1...ended.rightEnd)
                )
            }
            run = nil
        }
        while row > 0, column > 0 {
            if left[row - 1] == right[column - 1] {
                common.append(left[row - 1])
                if let open = run, open.leftEnd - open.count == row - 1, open.rightEnd - open.count == column - 1 {
                    run = (open.leftEnd, open.rightEnd, open.count + 1)
                } else {
                    close()
                    run = (row - 1, column - 1, 1)
                }
                row -= 1
                column -= 1
            } else {
                close()
                if table[(row - 1) * width + column] > table[row * width + column - 1] { row -= 1 } else { column -= 1 }
            }
        }
        close()
        guard options.givesIndexes else { return call.reply.bulk(common.reversed()) }
        call.reply.map(2)
        call.reply.bulk("matches")
        call.reply.array(matches.count)
        for match in matches {
            call.reply.array(options.givesMatchLength ? 3 : 2)
            for range in [match.left, match.right] {
                call.reply.array(2)
                call.reply.integer(range.lowerBound)
                call.reply.integer(range.upperBound)
            }
            if options.givesMatchLength { call.reply.integer(match.left.count) }
        }
        call.reply.bulk("len")
        call.reply.integer(length)
    }
}
