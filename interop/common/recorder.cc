#include "common/recorder.h"

#include "common/clock.h"

namespace sluice::interop::common {
namespace {

// The time of day when now() was 0.
std::chrono::microseconds wall_clock_at_zero() {
  const auto today = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(today) - now().time_since_epoch();
}

}  // namespace

Recorder::Recorder(const RecorderFiles& files) : capture_({.epoch = wall_clock_at_zero()}) {
  if (!files.key_log.empty()) key_log_.open(files.key_log, std::ios::app);
  if (!files.capture.empty()) capture_file_.open(files.capture, std::ios::binary);
}

Recorder::~Recorder() { write_capture(); }

dtls::Environment::Options Recorder::environment_options() {
  if (!key_log_.is_open() && !capture_file_.is_open()) return {};
  return {.key_log = this, .packet_observer = this};
}

void Recorder::on_datagram(const dtls::ObservedDatagram& datagram) {
  // Everything that the previous datagram led to has been reported by now.
  write_capture();
  capture_.on_datagram(datagram);
}

void Recorder::on_discard(const dtls::ObservedDiscard& discard) { capture_.on_discard(discard); }

void Recorder::add_line(std::string_view line) {
  capture_.add_line(line);
  if (key_log_.is_open()) key_log_ << line << '\n' << std::flush;
}

void Recorder::write_capture() {
  const dtls::Buffer bytes = capture_.take();
  if (!capture_file_.is_open()) return;
  capture_file_.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  capture_file_.flush();
}

}  // namespace sluice::interop::common
