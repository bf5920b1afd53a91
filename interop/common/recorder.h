// Writes what the calls say to files, for who looks at a browser's call with Wireshark.
#pragma once

#include <fstream>
#include <optional>
#include <string>

#include <sluice/dtls/capture.h>
#include <sluice/dtls/environment.h>

namespace sluice::interop::common {

struct RecorderFiles {
  std::string key_log = {};  // is added to; empty: none
  std::string capture = {};  // pcapng, with the secrets inside; is written anew; empty: none
};

// Made before the service that it watches, used on the service's thread, and destroyed after it.
class Recorder final : public dtls::PacketObserver, public dtls::KeyLog {
 public:
  explicit Recorder(const RecorderFiles& files);
  ~Recorder() override;

  // Both files, where asked for, can be written.
  [[nodiscard]] bool ok() const { return key_log_.good() && capture_file_.good(); }

  // Of an Environment that it watches; without files there is nothing to watch.
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
