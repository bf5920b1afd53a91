// Records DTLS connections to files for Wireshark.
#pragma once

#include <fstream>
#include <optional>
#include <string>

#include <sluice/dtls/capture.h>
#include <sluice/dtls/environment.h>

namespace sluice::interop::common {

struct RecorderFiles {
  std::string key_log = {};  // secrets are appended; empty: none
  std::string capture = {};  // pcapng with the secrets inside, overwritten; empty: none
};

// Outlives the Environment that it observes. Used on the thread of that Environment.
class Recorder final : public dtls::PacketObserver, public dtls::KeyLog {
 public:
  explicit Recorder(const RecorderFiles& files);
  ~Recorder() override;

  // Every file that was asked for can be written.
  [[nodiscard]] bool ok() const { return key_log_.good() && capture_file_.good(); }

  // The options of an Environment to observe. Without files it is not observed.
  [[nodiscard]] dtls::Environment::Options environment_options();

  void on_datagram(const dtls::ObservedDatagram& datagram) override;
  void on_discard(const dtls::ObservedDiscard& discard) override;
  void add_line(std::string_view line) override;

 private:
  void write_capture();

  std::ofstream key_log_;
  std::ofstream capture_file_;
  dtls::Capture capture_;
};

}  // namespace sluice::interop::common
