// EU DSS as a judge of trusted lists, and of what they make of a time-stamp. One run judges a set.
//
//   java -cp '.tools/dss/lib/*' tests/judges/Qualify.java < JOBS > VERDICTS
//
// A job is a line of fields with tabs between: name, file of the list, certificate of who may sign
// it (DER), file of the token (CMS, not the whole response), SHA-256 of the data (hex), judged at
// (Unix seconds): DSS asks for the status at genTime and at this moment. A verdict is a line: name, whether the list's signature holds, and QTSA, TSA or NA. Nothing is fetched.

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.model.DigestDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.tsl.TLInfo;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.client.http.DSSFileLoader;
import eu.europa.esig.dss.spi.tsl.TrustedListsCertificateSource;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonCertificateSource;
import eu.europa.esig.dss.tsl.job.TLValidationJob;
import eu.europa.esig.dss.tsl.source.TLSource;
import eu.europa.esig.dss.validation.timestamp.DetachedTimestampValidator;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.HexFormat;

public class Qualify {
    public static void main(String[] words) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] job = line.split("\t", -1);
            out.println(job[0] + "\t" + verdict(job));
        }
    }

    private static String verdict(String[] job) {
        CommonCertificateSource signers = new CommonCertificateSource();
        signers.addCertificate(DSSUtils.loadCertificate(new File(job[2])));
        TLSource source = new TLSource();
        source.setUrl(job[1]);
        source.setCertificateSource(signers);
        TrustedListsCertificateSource trusted = new TrustedListsCertificateSource();
        TLValidationJob lists = new TLValidationJob();
        lists.setTrustedListSources(source);
        lists.setTrustedListCertificateSource(trusted);
        lists.setOfflineDataLoader((DSSFileLoader) url -> new FileDocument(url));
        lists.offlineRefresh();
        TLInfo info = lists.getSummary().getOtherTLInfos().get(0);
        boolean signed = info.getValidationCacheInfo().isValid();
        return signed + "\t" + qualification(job, trusted);
    }

    private static String qualification(String[] job, TrustedListsCertificateSource trusted) {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setAIASource(null);
        verifier.setTrustedCertSources(trusted);
        DetachedTimestampValidator validator =
                new DetachedTimestampValidator(new FileDocument(job[3]));
        validator.setTimestampedData(
                new DigestDocument(DigestAlgorithm.SHA256, HexFormat.of().parseHex(job[4])));
        validator.setCertificateVerifier(verifier);
        validator.setValidationTime(new Date(Long.parseLong(job[5]) * 1000));
        SimpleReport report = validator.validateDocument().getSimpleReport();
        return String.valueOf(
                report.getTimestampQualification(report.getTimestampIdList().get(0)));
    }
}
