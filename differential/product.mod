module github.com/hellochaos/hellochaos

go 1.26.0
