// SIGINT and SIGTERM as a request to stop in order, and other signals as requests.
#pragma once

namespace sluice::interop::common {

// Blocks both signals in the calling thread. Threads inherit the mask, so make this object before
// the first thread starts. The signals stay blocked after its end.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  // Readable once a signal has come. Don't read it: then it stays readable, and every thread that
  // polls it sees the signal.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Returns once a signal has come.
  void wait() const;
  // Whether it was this one, or this one too.
  [[nodiscard]] static bool has_come(int signal);

 private:
  int descriptor_;
};

// Another signal, which may come again and again. Blocked as those are.
class RequestSignal {
 public:
  explicit RequestSignal(int signal);
  RequestSignal(const RequestSignal&) = delete;
  RequestSignal& operator=(const RequestSignal&) = delete;
  ~RequestSignal();

  // Readable while it has come and was not taken.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  void take() const;

 private:
  int descriptor_;
};

}  // namespace sluice::interop::common
