// Go on the workloads of the table. usage: GOMAXPROCS=1 peer-go CASE N
// SPDX-License-Identifier: MIT
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var wallStart time.Time
var cpuStart float64

func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return float64(r.Utime.Nano() + r.Stime.Nano())
}

func resident() float64 {
	b, _ := os.ReadFile("/proc/self/statm")
	v, _ := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	return v * float64(os.Getpagesize())
}

func start() {
	cpuStart = cpu()
	wallStart = time.Now()
}

func report(operations int, extra float64) {
	n := float64(operations)
	wall := float64(time.Since(wallStart))
	fmt.Printf("%.3f %.3f %.1f\n", wall/n, (cpu()-cpuStart)/n, extra)
	os.Exit(0)
}

func spawn(n int) {
	var wg sync.WaitGroup
	start()
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() { wg.Done() }()
		wg.Wait()
	}
	report(n, 0)
}

func million(n int) {
	var wg sync.WaitGroup
	event := make(chan struct{})
	before := resident()
	start()
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() { <-event; wg.Done() }()
	}
	runtime.Gosched()
	parked := resident()
	close(event)
	wg.Wait()
	report(n, (parked-before)/float64(n))
}

func yield(n int, tasks int) {
	var wg sync.WaitGroup
	start()
	for t := 0; t < tasks; t++ {
		wg.Add(1)
		go func() {
			for i := 0; i < n/tasks; i++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	report(n, 0)
}

func sleepall(n int) {
	var wg sync.WaitGroup
	before := resident()
	start()
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() { time.Sleep(10 * time.Millisecond); wg.Done() }()
	}
	wg.Wait()
	report(1, (resident()-before)/float64(n))
}

func timeout(n int) {
	start()
	for i := 0; i < n; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		runtime.Gosched()
		if ctx.Err() != nil {
			panic("timed out")
		}
		cancel()
	}
	report(n, 0)
}

func cancel(n int) {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			t := time.NewTimer(time.Hour)
			select {
			case <-ctx.Done():
			case <-t.C:
			}
			t.Stop()
			wg.Done()
		}()
	}
	time.Sleep(300 * time.Millisecond)
	start()
	cancel()
	wg.Wait()
	report(n, 0)
}

var failed = errors.New("failed")

// Errors are values here: each level looks at one and returns it.
//
//go:noinline
func failBelow(depth int) (int, error) {
	if depth == 0 {
		return 0, failed
	}
	x, err := failBelow(depth - 1)
	if err != nil {
		return 0, err
	}
	return x + 1, nil
}

func failThrough(n int, depth int) {
	start()
	for i := 0; i < n; i++ {
		if _, err := failBelow(depth - 1); err == nil {
			panic("an error was lost")
		}
	}
	report(n, 0)
}

//go:noinline
func sleepBelow(ctx context.Context, depth int) error {
	if depth > 0 {
		return sleepBelow(ctx, depth-1)
	}
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func cancelThrough(n int, depth int) {
	const batch = 200
	var wall, spent float64
	for round := 0; round < n/batch; round++ {
		var wg sync.WaitGroup
		var cancels [batch]context.CancelFunc
		wg.Add(batch)
		for i := range cancels {
			ctx, cancel := context.WithCancel(context.Background())
			cancels[i] = cancel
			go func() {
				if sleepBelow(ctx, depth-1) == nil {
					panic("not cancelled")
				}
				wg.Done()
			}()
		}
		runtime.Gosched()
		start()
		for _, cancel := range cancels {
			cancel()
		}
		wg.Wait()
		wall += float64(time.Since(wallStart))
		spent += cpu() - cpuStart
	}
	operations := float64(n / batch * batch)
	fmt.Printf("%.3f %.3f 0\n", wall/operations, spent/operations)
	os.Exit(0)
}

func nothing() {}

func pending(count int) []*time.Timer {
	timers := make([]*time.Timer, count)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Hour+time.Duration(rand.Intn(60000000))*time.Microsecond, nothing)
	}
	return timers
}

func timer100k(n int) {
	keep := pending(100000)
	start()
	for i := 0; i < n; i++ {
		time.AfterFunc(time.Hour+time.Duration(rand.Intn(60000000))*time.Microsecond, nothing).Stop()
	}
	runtime.KeepAlive(keep)
	report(n, 0)
}

func rearm(n int, count int) {
	timers := pending(count)
	start()
	for i := 0; i < n; i++ {
		timers[rand.Intn(count)].Reset(time.Hour + 30*time.Second)
	}
	report(n, 0)
}

func lock(n int) {
	var mutex sync.Mutex
	start()
	for i := 0; i < n; i++ {
		mutex.Lock()
		mutex.Unlock()
	}
	report(n, 0)
}

func lockEach(n int, tasks int) {
	var wg sync.WaitGroup
	var mutex sync.Mutex
	start()
	wg.Add(tasks)
	for t := 0; t < tasks; t++ {
		go func() {
			for i := 0; i < n/tasks; i++ {
				mutex.Lock()
				runtime.Gosched()
				mutex.Unlock()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	report(n/tasks*tasks, 0)
}

func event(n int) {
	var waiting, ended sync.WaitGroup
	event := make(chan struct{})
	waiting.Add(n)
	ended.Add(n)
	for i := 0; i < n; i++ {
		go func() { waiting.Done(); <-event; ended.Done() }()
	}
	waiting.Wait()
	runtime.Gosched()
	start()
	close(event)
	ended.Wait()
	report(n, 0)
}

func queue(n int, capacity int) {
	var wg sync.WaitGroup
	queue := make(chan int, capacity)
	start()
	wg.Add(2)
	go func() {
		for i := 0; i < n; i++ {
			queue <- i
		}
		wg.Done()
	}()
	go func() {
		for i := 0; i < n; i++ {
			if <-queue != i {
				panic("items lost")
			}
		}
		wg.Done()
	}()
	wg.Wait()
	report(n, 0)
}

func main() {
	n, _ := strconv.Atoi(os.Args[2])
	switch os.Args[1] {
	case "spawn":
		spawn(n)
	case "million":
		million(n)
	case "yield":
		yield(n, 2)
	case "yield1000":
		yield(n, 1000)
	case "sleepall":
		sleepall(n)
	case "timeout":
		timeout(n)
	case "timer100k":
		timer100k(n)
	case "rearm100k":
		rearm(n, 100000)
	case "rearm1m":
		rearm(n, 1000000)
	case "cancel":
		cancel(n)
	case "lock":
		lock(n)
	case "lock8":
		lockEach(n, 8)
	case "event":
		event(n)
	case "queue":
		queue(n, 128)
	case "queue1":
		queue(n, 1)
	case "throw1":
		failThrough(n, 1)
	case "throw10":
		failThrough(n, 10)
	case "cancel1":
		cancelThrough(n, 1)
	case "cancel10":
		cancelThrough(n, 10)
	case "cancel20":
		cancelThrough(n, 20)
	}
	os.Exit(2)
}
