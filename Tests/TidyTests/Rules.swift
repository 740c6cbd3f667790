/// Every rule, in the order of the report.
enum Rules {
    static let all: [Rule] =
        [pureImports, declaredDependencies, unorderedOutput, conditionalCompilation, finalClasses]
        + [forcedTry, forcedUnwrap, fatalErrors]
        + [sleepingTests, testsWithoutExpectation, oldTestFrameworks]
        + [longFiles, longFunctions, emptyNames, unfinishedWork, outsideHosts]
}
