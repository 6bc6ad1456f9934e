"""First rows of tables as people keep them, and if a header is among them."""

# ruff: noqa: E501 - lines of files
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Shape:
    """One table: its first lines, how it is read, and how many rows there are, or why it is refused."""

    name: str
    text: str
    rows: int | None
    options: dict[str, Any] = field(default_factory=dict)
    key: str = "a.csv"
    refused: str = ""


def headerless(name: str, text: str, key: str = "a.csv", **options: Any) -> Shape:
    """A table without a header: all its lines are rows."""
    return Shape(name, text, len(text.strip().splitlines()), options, key)


def headed(name: str, text: str, key: str = "a.csv", **options: Any) -> Shape:
    """A table with a header: all its lines but the first are rows."""
    return Shape(name, text, len(text.strip().splitlines()) - 1, options, key)


def refused(name: str, text: str, why: str, **options: Any) -> Shape:
    """A table of which nobody can tell."""
    return Shape(name, text, None, options, refused=why)


SHAPES = (
    headerless(
        "iris",
        "5.1,3.5,1.4,0.2,Iris-setosa\n4.9,3.0,1.4,0.2,Iris-setosa\n4.7,3.2,1.3,0.2,Iris-setosa\n",
        exclude=[4],
    ),
    headerless("iris numbered", "5.1,3.5,1.4,0.2,0\n4.9,3.0,1.4,0.2,0\n7.0,3.2,4.7,1.4,1\n", label=4),
    headerless(
        "wine", "1,14.23,1.71,2.43,15.6,127\n1,13.2,1.78,2.14,11.2,100\n2,12.37,.94,1.36,10.6,88\n", label=0
    ),
    headerless(
        "boston", " 0.00632  18.00   2.310  0  0.5380\n 0.02731   0.00   7.070  0  0.4690\n", delimiter=" "
    ),
    headerless("abalone", "M,0.455,0.365,0.095,15\nM,0.35,0.265,0.09,7\nF,0.53,0.42,0.135,9\n", exclude=[0]),
    headerless(
        "covtype", "2596,51,3,258,0,510,221,5\n2590,56,2,212,-6,390,220,5\n2804,139,9,268,65,3180,234,2\n"
    ),
    headerless(
        "HIGGS",
        "1.000000000000000000e+00,8.692932128906250000e-01,-6.350818276405334473e-01\n1.000000000000000000e+00,9.075421094894409180e-01,3.291472792625427246e-01\n0.000000000000000000e+00,7.988347411155700684e-01,1.470638751983642578e+00\n",
    ),
    headerless("SUSY", "0.0,0.972861,0.653855,1.176225\n1.0,1.667973,0.064191,-1.225171\n"),
    headerless(
        "adult",
        "39, State-gov, 77516, Bachelors, 13\n50, Self-emp-not-inc, 83311, Bachelors, 13\n38, Private, 215646, HS-grad, 9\n",
        features=[0, 2, 4],
    ),
    headerless(
        "pima", "6,148,72,35,0,33.6,0.627,50,1\n1,85,66,29,0,26.6,0.351,31,0\n8,183,64,0,0,23.3,0.672,32,1\n"
    ),
    headerless(
        "banknote",
        "3.6216,8.6661,-2.8073,-0.44699,0\n4.5459,8.1674,-2.4586,-1.4621,0\n3.866,-2.6383,1.9242,0.10645,1\n",
    ),
    headerless(
        "spambase",
        "0,0.64,0.64,0,0.32,3.756,61,278,1\n0.21,0.28,0.5,0,0.14,5.114,101,1028,1\n0.06,0,0.71,0,1.23,9.821,485,2259,1\n",
    ),
    headerless("ionosphere", "1,0,0.99539,-0.05889,g\n1,0,1,-0.18829,b\n1,0,1,-0.03365,g\n", exclude=[-1]),
    headerless(
        "sonar", "0.0200,0.0371,0.0428,R\n0.0453,0.0523,0.0843,R\n0.0262,0.0582,0.1099,M\n", exclude=[3]
    ),
    headerless(
        "glass", "1,1.52101,13.64,4.49,1.10,1\n2,1.51761,13.89,3.60,1.36,1\n3,1.51618,13.53,3.55,1.54,1\n"
    ),
    headerless("seeds", "15.26\t14.84\t0.871\t5.763\t1\n14.88\t14.57\t0.8811\t5.554\t1\n", key="a.tsv"),
    headerless("skin", "74\t85\t123\t1\n73\t84\t122\t1\n72\t83\t121\t2\n", key="a.tsv"),
    headerless("haberman", "30,64,1,1\n30,62,3,1\n30,65,0,1\n"),
    headerless("balance scale", "B,1,1,1,1\nR,1,1,1,2\nR,1,1,1,3\n", exclude=[0]),
    headerless("letter", "T,2,8,3,5,1\nI,5,12,3,7,2\nD,4,11,6,8,6\n", exclude=[0]),
    headerless("optdigits", "0,1,6,15,12,1,0,0\n0,0,10,16,6,0,0,0\n0,0,8,15,16,13,0,7\n"),
    headerless("pendigits", " 47,100, 27, 81, 57, 37\n  0, 89, 27,100, 42, 75\n  0, 57, 31, 68, 72, 90\n"),
    headerless("poker", "1,10,1,11,1,13,1,12,1,1,9\n2,11,2,13,2,10,2,12,2,1,9\n3,12,3,11,3,13,3,10,3,1,9\n"),
    headerless("MNIST", "5,0,0,0,18,126,0\n0,0,0,51,159,253,0\n4,0,0,0,0,67,0\n"),
    headerless(
        "wisconsin",
        "1000025,5,1,1,1,2,1,3,1,1,2\n1002945,5,4,4,5,7,10,3,2,1,2\n1015425,3,1,1,1,2,2,3,1,1,2\n",
    ),
    headerless(
        "wdbc",
        "842302,M,17.99,10.38,122.8\n842517,M,20.57,17.77,132.9\n84300903,B,19.69,21.25,130\n",
        exclude=[0, 1],
    ),
    headerless(
        "cleveland",
        "63.0,1.0,1.0,145.0,233.0,1.0,0\n67.0,1.0,4.0,160.0,286.0,0.0,2\n67.0,1.0,4.0,120.0,229.0,0.0,1\n",
    ),
    headerless(
        "hepatitis",
        "2,30,2,1,2,2,1.00,85,18,4.0,1\n2,50,1,1,2,1,0.90,135,42,3.5,1\n2,78,1,2,2,1,0.70,96,32,4.0,1\n",
    ),
    headerless("zoo", "aardvark,1,0,0,1,0,0,1\nantelope,1,0,0,1,0,0,0\nbass,0,0,1,0,0,1,1\n", exclude=[0]),
    headerless("magic", "28.7967,16.0021,2.6449,0.3918,g\n31.6036,11.7235,2.5185,0.5303,g\n", exclude=[4]),
    headerless(
        "YearPrediction",
        "2001,49.94357,21.47114,73.0775\n2001,48.73215,18.4293,70.32679\n2002,50.95714,31.85602,55.81851\n",
        label=0,
    ),
    headerless(
        "isolet", "-0.4394, -0.0930, 0.1718,1.\n-0.4348, -0.1198, 0.2474,1.\n-0.2330,  0.2124, 0.5014,2.\n"
    ),
    headerless("transfusion", "2,50,12500,98,1\n0,13,3250,28,1\n1,16,4000,35,1\n"),
    headerless(
        "eeg",
        "4329.23,4009.23,4289.23,4148.21,0\n4324.62,4004.62,4293.85,4148.72,0\n4327.69,4006.67,4295.38,4156.41,1\n",
    ),
    headerless("gisette", "550 0 495 0 0 0 0 976 \n0 0 0 0 0 0 0 991 \n0 0 991 0 0 0 0 0 \n", delimiter=" "),
    headerless("kddcup", "0,181,5450,0.00,1.00\n0,239,486,0.00,1.00\n0,235,1337,0.05,1.00\n"),
    headerless(
        "ratings", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n22\t377\t1\t878887116\n", key="u.tsv"
    ),
    headerless("one column", "3\n1\n4\n1\n5\n"),
    headerless("one column from 0", "0\n1\n2\n3\n"),
    headerless("one column of decimals", "0.5\n1.25\n3.0\n"),
    headerless("XOR", "0,0,0\n0,1,1\n1,0,1\n1,1,0\n"),
    headerless("a grid", "0,1,2,3\n4,5,6,7\n8,9,10,11\n"),
    headerless("rows of years", "2019,2020,2021\n2018,2019,2020\n2015,2016,2017\n"),
    headerless("counts", "1,2,3\n4,5,6\n"),
    headerless("counts that are not in order", "1,2,3\n4,9,6\n2,2,2\n"),
    headerless("a trajectory", "0,0,0\n0.1,0.25,0.5\n0.2,0.5,0.75\n"),
    headerless("negative", "-1.5,-2\n-3,4.25\n"),
    headerless(
        "quantiles, ascending in every row", "1.5,2,3,4,5,6,7.5,9\n0.5,1,2,3,4,5,6.5,8\n2,3,4,5,6,7,8.5,9\n"
    ),
    headerless("one row", "0,1,2\n"),
    headerless("identity", "1,0,0\n0,1,0\n0,0,1\n"),
    headerless("binary", "0,0,1\n1,0,1\n0,1,1\n"),
    headerless("infinity in the first row", "1,inf,2\n3,4,5\n"),
    headerless("a gap in the first row", "?,5,1,0\n3,6,1,0\n4,5,2,1\n"),
    headerless("an empty cell in the first row", ",5,1,0\n3,6,1,0\n4,5,2,1\n"),
    headerless("a mark of Hadoop in the first row", "\\N,5,1,0\n3,6,1,0\n4,5,2,1\n"),
    headerless("words in a column that is read", "Berlin,1.5\nParis,2.5\nRome,3.5\n"),
    headed("named", "a,b\n1,2\n3,4\n"),
    headed("wine quality", '"fixed acidity";"pH";"quality"\n7.4;3.51;5\n7.8;3.2;5\n', delimiter=";"),
    headed("titanic", "PassengerId,Pclass,Name\n1,3,Owen\n2,1,Florence\n", exclude=["Name"]),
    headed("titanic by position", "PassengerId,Pclass,Name\n1,3,Owen\n2,1,Florence\n", exclude=[2]),
    headed("pandas without names", "0,1,2\n0.25,1.5,-3.125\n0.5,2.25,4.75\n"),
    headed(
        "pandas without names, with its index",
        ",0,1,2\n0,0.25,1.5,-3.125\n1,0.5,2.25,4.75\n",
        features=[1, 2, 3],
    ),
    headed(
        "pandas, many columns of whole numbers",
        "0,1,2,3,4,5,6,7,8,9\n0,0,18,126,3,7,0,0,0,5\n9,3,0,51,159,253,0,1,5,0\n",
    ),
    headed("MNIST by pandas", "label,0,1,2,3\n5,0,0,18,126\n0,0,51,159,253\n"),
    headed("years over decimals", "2019,2020,2021\n1.5,2.25,3.75\n0.5,1.25,2.25\n"),
    headed("years over other numbers", "2019,2020,2021\n12,15,18\n7,9,11\n3,2,5\n"),
    headed("a name and years", "id,2019,2020\n1,12.5,15.25\n2,7.5,9.75\n3,3.5,2.5\n"),
    headed(
        "wavelengths",
        "400,402,404,406,408\n0.125,0.25,0.5,0.25,0.75\n0.5,0.25,0.125,0.75,0.5\n0.25,0.5,0.75,0.125,0.25\n",
    ),
    headed("a header alone above gaps", "a,b\n1,\n,2\n"),
    refused("pandas, few columns of whole numbers", "0,1,2\n0,3,1\n5,0,2\n1,1,4\n", "counts columns from 0"),
    refused("pandas, two columns", "0,1\n0.25,1.5\n0.5,2.5\n", "counts columns from 0"),
    refused("an edge list", "0,1\n0,2\n1,2\n", "counts columns from 0"),
    refused("a series of pandas", "0\n0.5\n0.25\n", "whole number, and all others have decimals"),
    refused(
        "whole numbers over decimals", "17,42,99\n0.5,1.25,7.75\n0.25,2.5,3.5\n", "all others have decimals"
    ),
    refused(
        "a word and numbers like the others", "x,5,1,0\n3,6,1,0\n4,5,2,1\n3,4,1,0\n", "words above numbers"
    ),
    refused("a name that is not read", "id,5,1\n7,6,1\n8,5,2\n9,4,1\n", "not read has a word", exclude=[0]),
)
